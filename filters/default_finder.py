"""The finder for text logs without a `metricsFormat`: named values, and tables of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from heapq import merge
from itertools import compress, groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from filters.doubts import CodeLines, ends_with_place, surely_meant
from filters.loggers import Loggers
from filters.name_matcher import NameMatcher
from filters.points import ExtractedPoint
from filters.region import LineCursor, Region
from filters.tables import TableHeader, read_header, read_row, read_title, replaces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filters.name_matcher import Mention
    from filters.points import ExtractionCounters
    from filters.steps import StepReader


class DefaultFinder:
    """Finds named values and rows of tables.

    `header` is the table that is open. `after_place` is True if the last line was a place in a
    traceback, so that the next line is source code.
    """

    def __init__(
        self,
        names: Sequence[str],
        header: TableHeader | None = None,
        *,
        after_place: bool = False,
        steps: StepReader | None = None,
    ) -> None:
        """Take the metric names, and the state that earlier lines left; `steps` reads steps."""
        self._names = names
        self._matcher = NameMatcher(names)
        self._loggers = Loggers(names)
        self._title = _title_pattern(names)
        self.header = header
        self.after_place = after_place
        self.steps = steps

    def find(self, region: Region, counters: ExtractionCounters) -> list[ExtractedPoint]:
        """Return the region's points, in the order of the text."""
        text = region.text
        mentions = self._loggers.applied(text, self._matcher.mentions(text))
        code = CodeLines(text, after_place=self.after_place)
        named, bare = _named_points(region, mentions, code, counters, self.steps)
        self.after_place = ends_with_place(text)
        titles = self._titles(text)
        if not bare and not titles and self.header is None:
            return named
        rows, headers = self._tables(region, bare, titles)
        counters.without_number += len(bare) - headers
        return sorted(named + rows, key=_by_line) if rows else named

    def _titles(self, text: bytes) -> list[int]:
        """Return the positions of titles such as `| rollout/ |` above rows with metrics."""
        return [match.start() for match in self._title.finditer(text)] if self._title else []

    def _tables(
        self, region: Region, bare: Sequence[int], titles: Sequence[int]
    ) -> tuple[list[ExtractedPoint], int]:
        """Return the points of tables, and how many of the bare names are in their headers.

        While a table is open, every line is read; otherwise only lines with a bare name or a title.
        """
        points: list[ExtractedPoint] = []
        in_headers = 0
        line = LineCursor(region)
        upcoming = merge(((place, 1) for place in bare), ((place, 0) for place in titles))
        place, is_bare = next(upcoming, _NONE)
        more = True
        while more:
            if self.header is None:
                if place is None:
                    break
                line.move_to(place)
            named_here = 0
            marked = False
            while place is not None and place <= line.end:
                named_here += is_bare
                marked = True
                place, is_bare = next(upcoming, _NONE)
            header = self._opened(line.content) if marked else None
            if header is not None:
                self.header = header
                in_headers += named_here
            elif self.header is not None:
                points += self._row(line, self.header)
            more = line.next_line()
        return points, in_headers

    def _opened(self, line: bytes) -> TableHeader | None:
        return read_title(line, self._names) or read_header(line, self._names)

    def _row(self, line: LineCursor, header: TableHeader) -> list[ExtractedPoint]:
        content = line.content
        pairs = read_row(content, header)
        self.header = header.after(row=pairs is not None, line=content)
        if not pairs:
            if pairs is None and replaces(content, header):
                self.header = None
            return []
        stamp, bounds = line.stamp, line.bounds
        return [ExtractedPoint(name, value, stamp, line.number, *bounds) for name, value in pairs]


def _named_points(
    region: Region,
    mentions: list[Mention],
    code: CodeLines,
    counters: ExtractionCounters,
    steps: StepReader | None,
) -> tuple[list[ExtractedPoint], list[int]]:
    """Return the points of mentions with a number, and the positions of the other mentions.

    If one mention is inside another, the outer one counts: `mAP@[IoU=0.5]=0.7` has no `IoU`. This
    is the hot loop of a log full of metrics, so it looks up a line's properties once a line.
    """
    points: list[ExtractedPoint] = []
    bare: list[int] = []
    repeating: dict[int, int] = {}
    line = LineCursor(region)
    stamp: str | None = None
    step: int | None = None
    text = region.text
    start = end = border = code_start = line_number = 0
    line_end = -1
    here: list[str] = []
    for place, minus_end, name, number in mentions:
        if place < border:
            continue
        border = -minus_end
        if not number:
            bare.append(place)
            continue
        if place > line_end:
            line.move_to(place)
            line_end = line.end
            code_start = code.start(line.start, line_end)
            line_number = line.number
            start, end = line.bounds
            stamp = line.stamp
            if steps is not None:
                step = steps.on_line(text, line.start, line_end)
            here = [name]
        elif name in here:
            repeating[line_number] = line.start
        else:
            here.append(name)
        if place >= code_start:
            counters.doubtful += 1
            continue
        points.append(_new(ExtractedPoint, (name, number, stamp, line_number, start, end, step)))
    line.leave()
    if steps is not None:
        steps.leave(text)
    if repeating:
        certain = _certain(region.text, mentions, points, repeating)
        counters.doubtful += len(points) - len(certain)
        points = certain
    return points, bare


def _certain(
    text: bytes, mentions: list[Mention], points: list[ExtractedPoint], repeating: dict[int, int]
) -> list[ExtractedPoint]:
    """Return the points without the doubtful ones in lines that repeat a name.

    `repeating` has the numbers of these lines, and the position of each in the text.
    """
    kept: list[ExtractedPoint] = []
    for number, group in groupby(points, key=_line):
        line = list(group)
        if number in repeating:
            start = repeating[number]
            numbered = list(islice(_numbered(mentions, start), len(line)))
            line = list(compress(line, surely_meant(text, start, numbered)))
        kept += line
    return kept


def _numbered(mentions: list[Mention], start: int) -> Iterator[Mention]:
    """Yield the mentions from a position on that have a number and are not inside another one."""
    border = 0
    for mention in islice(mentions, bisect_left(mentions, (start,)), None):
        if mention[0] >= border:
            border = -mention[1]
            if mention[3]:
                yield mention


# Takes half the time of calling the class, in the hot loop; it knows no defaults of fields.
_new = tuple.__new__


_NONE: tuple[int | None, int] = (None, 0)
_line = itemgetter(3)


def _by_line(point: ExtractedPoint) -> int:
    return point.start


def _title_pattern(names: Iterable[str]) -> re.Pattern[bytes] | None:
    """Return a pattern for the titles of sections with metrics such as `rollout/reward`."""
    titles = {name.encode()[: name.encode().find(b"/") + 1] for name in names if "/" in name}
    if not titles:
        return None
    return re.compile(rb"\|[ ]+(?:" + b"|".join(map(re.escape, titles)) + rb")[ ]")
