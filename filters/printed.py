"""The finder for text logs without a `metricsFormat`: named values, and tables of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filters.columns import PATIENCE, Header, read_header, read_row
from filters.named import NamedMatcher
from filters.numbers import plain
from filters.points import Found
from filters.text import LineCursor, Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filters.named import Mention
    from filters.points import Tally


class PrintedFinder:
    """Finds what a trainer printed. `header` is what it knows of earlier lines."""

    def __init__(self, names: Sequence[str], header: Header | None = None) -> None:
        """Take the metric names, and the table that the lines before left open."""
        self._names = names
        self._matcher = NamedMatcher(names)
        self.header = header

    def find(self, region: Region, tally: Tally) -> list[Found]:
        """Return the region's points, in the order of the text."""
        mentions = self._matcher.mentions(region.text)
        found, bare = _with_places(region, mentions)
        if not bare and self.header is None:
            return found
        rows, headers = self._tables(region, bare)
        tally.without_number += len(bare) - headers
        return sorted(found + rows, key=_by_line) if rows else found

    def _tables(self, region: Region, bare: Sequence[int]) -> tuple[list[Found], int]:
        """Return the points of tables, and how many of the bare names stand in their headers.

        Lines are looked at one by one only while a table is open; else only those with a name.
        """
        found: list[Found] = []
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
                found += self._row(line, self.header)
            more = line.next_line()
        return found, in_headers

    def _row(self, line: LineCursor, header: Header) -> list[Found]:
        pairs = read_row(line.content, header)
        patience = header.patience - 1 if not pairs else PATIENCE
        self.header = replace(header, patience=patience) if patience else None
        if not pairs:
            return []
        stamp, bounds = line.stamp, line.bounds
        return [Found(name, value, stamp, line.number, *bounds) for name, value in pairs]


def _with_places(region: Region, mentions: list[Mention]) -> tuple[list[Found], list[int]]:
    """Return the mentions with a number as points, and where the others stand.

    Of two mentions, one inside the other, the outer one counts: in `mAP@[IoU=0.5]=0.7` there is no
    `IoU`. This loop is the hot one of a log full of metrics; what it needs of a line is looked up
    once a line.
    """
    found: list[Found] = []
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
        found.append(_new(Found, (name, plain(number), stamp, line.number, start, end)))
    line.leave()
    return found, bare


_new = tuple.__new__  # half the time of calling the class; the hot loop is worth it


def _by_line(point: Found) -> int:
    return point.start
