"""The finder for text logs without a `metricsFormat`: named values, and tables of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filters.name_matcher import NameMatcher
from filters.numbers import plain
from filters.points import ExtractedPoint
from filters.region import LineCursor, Region
from filters.tables import PATIENCE, TableHeader, read_header, read_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filters.name_matcher import Mention
    from filters.points import ExtractionCounters


class DefaultFinder:
    """Finds named values and rows of tables. `header` is the table that is open."""

    def __init__(self, names: Sequence[str], header: TableHeader | None = None) -> None:
        """Take the metric names, and the table that earlier lines left open."""
        self._names = names
        self._matcher = NameMatcher(names)
        self.header = header

    def find(self, region: Region, counters: ExtractionCounters) -> list[ExtractedPoint]:
        """Return the region's points, in the order of the text."""
        mentions = self._matcher.mentions(region.text)
        named, bare = _named_points(region, mentions)
        if not bare and self.header is None:
            return named
        rows, headers = self._tables(region, bare)
        counters.without_number += len(bare) - headers
        return sorted(named + rows, key=_by_line) if rows else named

    def _tables(self, region: Region, bare: Sequence[int]) -> tuple[list[ExtractedPoint], int]:
        """Return the points of tables, and how many of the bare names are in their headers.

        While a table is open, every line is read; otherwise only lines with a bare name.
        """
        points: list[ExtractedPoint] = []
        in_headers = 0
        line = LineCursor(region)
        upcoming = iter(bare)
        place = next(upcoming, None)
        more = True
        while more:
            if self.header is None:
                if place is None:
                    break
                line.move_to(place)
            named_here = 0
            while place is not None and place <= line.end:
                named_here += 1
                place = next(upcoming, None)
            header = read_header(line.content, self._names) if named_here else None
            if header is not None:
                self.header = header
                in_headers += named_here
            elif self.header is not None:
                points += self._row(line, self.header)
            more = line.next_line()
        return points, in_headers

    def _row(self, line: LineCursor, header: TableHeader) -> list[ExtractedPoint]:
        pairs = read_row(line.content, header)
        patience = header.patience - 1 if not pairs else PATIENCE
        self.header = replace(header, patience=patience) if patience else None
        if not pairs:
            return []
        stamp, bounds = line.stamp, line.bounds
        return [ExtractedPoint(name, value, stamp, line.number, *bounds) for name, value in pairs]


def _named_points(
    region: Region, mentions: list[Mention]
) -> tuple[list[ExtractedPoint], list[int]]:
    """Return the points of mentions with a number, and the positions of the other mentions.

    If one mention is inside another, the outer one counts: `mAP@[IoU=0.5]=0.7` has no `IoU`. This
    is the hot loop of a log full of metrics, so it looks up a line's properties once a line.
    """
    points: list[ExtractedPoint] = []
    bare: list[int] = []
    line = LineCursor(region)
    stamp: str | None = None
    start = end = border = 0
    line_end = -1
    for place, minus_end, name, number in mentions:
        if place < border:
            continue
        border = -minus_end
        if number is None:
            bare.append(place)
            continue
        if place > line_end:
            line.move_to(place)
            line_end = line.end
            start, end = line.bounds
            stamp = line.stamp
        points.append(_new(ExtractedPoint, (name, plain(number), stamp, line.number, start, end)))
    line.leave()
    return points, bare


_new = tuple.__new__  # takes half the time of calling the class, in the hot loop


def _by_line(point: ExtractedPoint) -> int:
    return point.start
