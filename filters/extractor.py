"""The whole way from bytes to points, for a live tail as for a 10 GiB file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from api.errors import UserError
from api.types import LogFormat
from filters.jsonl import JsonFinder
from filters.lines import LinePosition, LineSplitter
from filters.pattern import Pattern, compile_pattern
from filters.patterned import PatternFinder
from filters.points import Tally
from filters.printed import PrintedFinder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filters.columns import Header
    from filters.nearest import NearMisses
    from filters.points import Found
    from filters.text import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What to look for in a log. Made by `reading`, which refuses what makes no sense."""

    metrics: tuple[str, ...]
    log_format: LogFormat
    patterns: tuple[Pattern, ...]

    @property
    def how(self) -> str:
        """In a few words, how the metrics are looked for."""
        if self.log_format is LogFormat.JSON:
            return "the JSON reader"
        return "the metricsFormat" if self.patterns else "the default matcher"

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know before the reading starts."""
        return tuple(pattern.notice for pattern in self.patterns if pattern.notice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a reading stands, between two lines; enough to go on from there after a crash."""

    lines: LinePosition = field(default_factory=LinePosition)
    """The offset from which to feed again, and what is known of the line that begins there."""
    header: Header | None = None
    """The table that the lines before left open."""


class _Finder(Protocol):
    def find(self, region: Region, tally: Tally) -> list[Found]: ...


def reading(
    metrics: Iterable[str],
    log_format: LogFormat = LogFormat.TEXT,
    patterns: Iterable[str] = (),
) -> Reading:
    """Check what a user asks for, and compile the patterns (`metricsFormat`s).

    Raises `UserError`: no metric, a metric name that no line can hold, patterns for a JSON log,
    a pattern that `compile_pattern` refuses.
    """
    names = tuple(dict.fromkeys(metrics))
    if not names:
        raise UserError("no metric is asked for: name at least the objective's metric")
    for name in names:
        if not name.strip() or any(character in name for character in "\n\r\x1b"):
            raise UserError(
                f"metric name {name!r} cannot stand in a line of a log: "
                "use the name as the training prints it"
            )
        if not _encodable(name):
            raise UserError(f"metric name {name!r} is no valid Unicode text: write it in UTF-8")
    sources = tuple(patterns)
    if sources and log_format is LogFormat.JSON:
        raise UserError(
            f"metricsFormat {sources[0]!r} is for TEXT logs, and the format is JSON: "
            "leave out the patterns, or set the format to TEXT"
        )
    return Reading(
        metrics=names,
        log_format=log_format,
        patterns=tuple(compile_pattern(source) for source in sources),
    )


class Extractor:
    """Takes a stream's bytes as they come, gives the points of the lines they complete.

    How the bytes are cut into chunks never changes the points.
    """

    def __init__(
        self,
        wanted: Reading,
        position: Position | None = None,
        *,
        near_misses: NearMisses | None = None,
    ) -> None:
        """Begin at the stream's start, or at a `position` that another extractor had.

        `near_misses`, if given, is shown everything that is searched.
        """
        position = position or Position()
        self._lines = LineSplitter(position.lines)
        self._printed: PrintedFinder | None = None
        self._finder: _Finder
        if wanted.log_format is LogFormat.JSON:
            self._finder = JsonFinder(wanted.metrics)
        elif wanted.patterns:
            self._finder = PatternFinder(wanted.metrics, wanted.patterns)
        else:
            self._finder = self._printed = PrintedFinder(wanted.metrics, position.header)
        self._near_misses = near_misses
        self.tally = Tally()

    @property
    def position(self) -> Position:
        """Where to go on, as of the last complete line."""
        header = self._printed.header if self._printed else None
        return Position(lines=self._lines.position, header=header)

    def feed(self, chunk: bytes) -> list[Found]:
        """Take the next bytes of the stream, return the points of the lines that they complete."""
        self.tally.bytes += len(chunk)
        return self._search(self._lines.feed(chunk))

    def finish(self) -> list[Found]:
        """The stream has ended: return the points of its unfinished last line."""
        return self._search(self._lines.finish())

    def _search(self, regions: Iterable[Region]) -> list[Found]:
        found: list[Found] = []
        tally = self.tally
        for region in regions:
            here = self._finder.find(region, tally)
            if self._near_misses:
                self._near_misses.look(region, here)
            found += here
            tally.lines += region.lines_ended
        tally.cut_lines = self._lines.cuts
        tally.count(found)
        return found


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
