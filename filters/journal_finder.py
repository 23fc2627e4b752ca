"""The lines of the journal: points that came by a call, not in a text.

One line has the points of one call, so a torn line is a call that got no answer:

    [["loss","0.3",7,"2026-11-30T21:45:00.000001Z"],["accuracy","0.9",null,null]]

A point has name, value, step and time stamp, in this order. `journal_lines` writes lines that
`JournalFinder` reads; both are here, so that the format is in one place.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from filters.points import ExtractedPoint
from filters.region import LineCursor, Region

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filters.points import ExtractionCounters

_LONGEST = 1 << 19
"""Bytes of a line, about; a line of more than 1 MiB would be cut by its reader."""
_FIELDS = 4


class JournalPoint(NamedTuple):
    """One value of one metric, as a call reports it."""

    name: str
    value: str
    """The text of the number, as the caller wrote it."""
    step: int | None = None
    """From 0 to `api.report_limits.LARGEST_STEP`."""
    timestamp: str | None = None
    """RFC 3339 text; None: the journal gives it the time at which it accepts the point."""


def journal_lines(points: Iterable[JournalPoint]) -> Iterator[bytes]:
    r"""Yield the lines of one call, each ended by `\n`: one line, unless it would be very long."""
    texts: list[str] = []
    size = 0
    for point in points:
        # In ASCII, so that no byte of a line ends it, or begins a terminal escape.
        texts.append(json.dumps(point, separators=(",", ":")))
        size += len(texts[-1])
        if size > _LONGEST:
            yield _line(texts)
            texts, size = [], 0
    if texts:
        yield _line(texts)


def _line(texts: Iterable[str]) -> bytes:
    return f"[{','.join(texts)}]\n".encode("ascii")


class JournalFinder:
    """Reads each line as the points of a call. Lines of any other form are counted and skipped."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the metric names; points of other metrics are skipped."""
        self._names = frozenset(names)

    def find(self, region: Region, counters: ExtractionCounters) -> list[ExtractedPoint]:
        """Return the region's points in the order of the calls."""
        points: list[ExtractedPoint] = []
        cursor = LineCursor(region)
        more = bool(region.text)
        while more:
            if cursor.content:
                points += self._on_line(cursor, counters)
            more = cursor.next_line()
        return points

    def _on_line(self, line: LineCursor, counters: ExtractionCounters) -> Iterator[ExtractedPoint]:
        points = points_of_line(line.content)
        if points is None:
            counters.not_json += 1
            return
        for name, value, step, timestamp in points:
            if name in self._names:
                yield ExtractedPoint(name, value, timestamp, line.number, *line.bounds, step)


def points_of_line(content: bytes) -> list[JournalPoint] | None:
    """Return the points of a line; None if it was torn, or is not of the journal."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    well_formed = isinstance(document, list) and all(
        isinstance(point, list) and len(point) == _FIELDS for point in document
    )
    return [JournalPoint(*point) for point in document] if well_formed else None
