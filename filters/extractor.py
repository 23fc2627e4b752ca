"""From bytes to points, for a live tail and for a 10 GiB file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from api.errors import UserError
from api.limits import LONGEST_METRIC, MOST_METRICS, MOST_PATTERN_CHARACTERS, MOST_PATTERNS
from api.types import LogFormat
from filters.lines import LinePosition, LineSplitter
from filters.points import ExtractionCounters
from filters.step_state import StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filters.default_finder import DefaultFinder
    from filters.near_misses import NearMisses
    from filters.pattern import Pattern
    from filters.points import Damage, ExtractedPoint
    from filters.region import Region
    from filters.steps import StepReader
    from filters.tables import TableHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionSpec:
    """What to look for in a log. Made and checked by `extraction_spec`."""

    metrics: tuple[str, ...]
    log_format: LogFormat
    patterns: tuple[Pattern, ...]
    steps: bool = True
    """Whether points get the step that their line gives."""
    journal: bool = False
    """The bytes are the journal's lines, whatever the format of the log is."""

    @property
    def how(self) -> str:
        """How metrics are found, in a few words for a message."""
        if self.log_format is LogFormat.JSON:
            return "the JSON reader"
        return "the metricsFormat" if self.patterns else "the default matcher"

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences for the user, before extraction starts."""
        return tuple(pattern.notice for pattern in self.patterns if pattern.notice)

    def extractor(self, position: Position, near_misses: NearMisses | None = None) -> Extractor:
        """Return an extractor of lines from a position on; the journal has no near misses."""
        return Extractor(self, position, near_misses=None if self.journal else near_misses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A point between two lines from which extraction can continue after a crash."""

    lines: LinePosition = field(default_factory=LinePosition)
    """The offset from which to feed again, and the state of the line that begins there."""
    header: TableHeader | None = None
    """The table that earlier lines left open."""
    after_place: bool = False
    """The last line is a place in a Python traceback, so the next one is source code."""
    skip: int = 0
    """Bytes that are left of a record of an event file that is too long to be read."""
    step_state: StepState = field(default_factory=StepState)
    """The step that lines without one take from earlier lines."""


class StreamExtractor(Protocol):
    """Takes a stream's bytes in chunks of any size, returns the points that they complete."""

    counters: ExtractionCounters

    @property
    def position(self) -> Position:
        """Return where to continue."""

    @property
    def damage(self) -> Damage | None:
        """Return what could not be read so far; None where all was read."""

    def feed(self, chunk: bytes) -> list[ExtractedPoint]:
        """Take the stream's next bytes."""

    def finish(self) -> list[ExtractedPoint]:
        """End the stream; return the points of its unfinished end."""


class WantedMetrics(Protocol):
    """What to look for in streams: an `ExtractionSpec`, or an `EventSpec` of event files."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Return the metrics' names; the objective's is the first."""

    @property
    def how(self) -> str:
        """Return how metrics are found, in a few words for a message."""

    @property
    def notices(self) -> tuple[str, ...]:
        """Return sentences for the user, before extraction starts."""

    def extractor(
        self, position: Position, near_misses: NearMisses | None = None
    ) -> StreamExtractor:
        """Return an extractor of a stream from a position on; `near_misses` sees what it reads."""


class _Finder(Protocol):
    def find(self, region: Region, counters: ExtractionCounters) -> list[ExtractedPoint]: ...


def extraction_spec(
    metrics: Iterable[str],
    log_format: LogFormat = LogFormat.TEXT,
    patterns: Iterable[str] = (),
    *,
    steps: bool = True,
) -> ExtractionSpec:
    """Check the user's request, and compile the patterns (`metricsFormat`s).

    Raises:
        UserError: there is no metric; a metric name cannot occur in a line; there are patterns for
            a JSON log; there are more than `api.limits` allows; or `compile_pattern` refuses a
            pattern.
    """
    names = tuple(dict.fromkeys(metrics))
    if not names:
        raise UserError("no metrics given: name at least the objective's metric")
    sources = tuple(patterns)
    _check_counts(names, sources)
    for name in names:
        if not name.strip() or any(character in name for character in "\n\r\x1b"):
            raise UserError(
                f"metric name {name!r} cannot occur in a line of a log: "
                "use the name as the training prints it"
            )
        if not _encodable(name):
            raise UserError(f"metric name {name!r} is not valid Unicode text: write it in UTF-8")
    if sources and log_format is LogFormat.JSON:
        raise UserError(
            f"metricsFormat {sources[0]!r} is for TEXT logs, and the format is JSON: "
            "leave out the patterns, or set the format to TEXT"
        )
    return ExtractionSpec(
        metrics=names,
        log_format=log_format,
        patterns=_compiled(sources) if sources else (),
        steps=steps,
    )


def _check_counts(names: Sequence[str], sources: Sequence[str]) -> None:
    """Refuse too many metrics or patterns, before any pattern is compiled."""
    characters = sum(map(len, sources))
    for what, found, most in (
        ("metrics", len(names), MOST_METRICS),
        ("characters in a metric name", max(map(len, names)), LONGEST_METRIC),
        ("metricsFormats", len(sources), MOST_PATTERNS),
        ("characters in all metricsFormats", characters, MOST_PATTERN_CHARACTERS),
    ):
        if found > most:
            raise UserError(f"{found} {what}: {most} are allowed; write fewer")


def _compiled(sources: Iterable[str]) -> tuple[Pattern, ...]:
    from filters.pattern import compile_pattern  # noqa: PLC0415 - see `Extractor`

    return tuple(compile_pattern(source) for source in sources)


class Extractor:
    """Takes a stream's bytes in chunks, returns the points of the lines that they complete.

    How the stream is cut into chunks does not change the points.
    """

    def __init__(
        self,
        wanted: ExtractionSpec,
        position: Position | None = None,
        *,
        near_misses: NearMisses | None = None,
    ) -> None:
        """Begin at the stream's start, or at the `position` of an earlier extractor.

        `near_misses`, if given, sees every region after the search.
        """
        position = position or Position()
        self._lines = LineSplitter(position.lines)
        self._printed: DefaultFinder | None = None
        self._finder: _Finder
        self._steps = _step_reader(position.step_state) if wanted.steps else None
        # A program loads the one finder that it uses: the expressions of all take 20 ms.
        if wanted.journal:
            from filters.journal_finder import JournalFinder  # noqa: PLC0415

            self._finder = JournalFinder(wanted.metrics)
        elif wanted.log_format is LogFormat.JSON:
            from filters.json_finder import JsonFinder  # noqa: PLC0415

            self._finder = JsonFinder(wanted.metrics, steps=wanted.steps)
        elif wanted.patterns:
            from filters.pattern_finder import PatternFinder  # noqa: PLC0415

            self._finder = PatternFinder(wanted.metrics, wanted.patterns, self._steps)
        else:
            from filters.default_finder import DefaultFinder  # noqa: PLC0415

            self._finder = self._printed = DefaultFinder(
                wanted.metrics,
                position.header,
                after_place=position.after_place,
                steps=self._steps,
            )
        self._near_misses = near_misses
        self.counters = ExtractionCounters()

    @property
    def damage(self) -> Damage | None:
        """Return None: lines of any content can be read."""
        return None

    @property
    def position(self) -> Position:
        """Where to continue: behind the last complete line."""
        state = self._steps.state if self._steps else StepState()
        if self._printed is None:
            return Position(lines=self._lines.position, step_state=state)
        return Position(
            lines=self._lines.position,
            header=self._printed.header,
            after_place=self._printed.after_place,
            step_state=state,
        )

    def feed(self, chunk: bytes) -> list[ExtractedPoint]:
        """Take the stream's next bytes; return the points of the lines that they complete."""
        self.counters.bytes += len(chunk)
        return self._search(self._lines.feed(chunk))

    def finish(self) -> list[ExtractedPoint]:
        """End the stream; return the points of its unfinished last line."""
        return self._search(self._lines.finish())

    def _search(self, regions: Iterable[Region]) -> list[ExtractedPoint]:
        points: list[ExtractedPoint] = []
        counters = self.counters
        for region in regions:
            in_region = self._finder.find(region, counters)
            if self._near_misses:
                self._near_misses.look(region, in_region)
            points += in_region
            counters.lines += region.lines_ended
        counters.cut_lines = self._lines.cuts
        counters.count(points)
        return points


def _step_reader(state: StepState) -> StepReader:
    from filters.steps import StepReader  # noqa: PLC0415 - loaded with the finder

    return StepReader(state)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
