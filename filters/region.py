r"""A region of a log: the text that matchers see, and the offsets of its lines in the stream.

In the text each line ends at `\n`: terminal escapes and the `\r` of `\r\n` are removed, and a bare
`\r` (a progress bar's) becomes `\n`. A region consists of whole lines, except for pieces of a line
that was too long, and for a stream's unfinished last line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from filters.line_timestamps import head_stamp

# ECMA-48: CSI sequences (colours, cursor), OSC strings (titles, links), two-byte escapes.
# A sequence never spans a line end, so its removal does not change the line count.
_NOISE = re.compile(
    rb"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\r\n]*+(?:\x07|\x1b\\)|[ -/]*+[0-~])|\r(?=\n)"
)


class Region:
    """Consecutive bytes of a stream, and the text in which matchers search."""

    __slots__ = (
        "_cumulative",
        "_removed_at",
        "continued",
        "counted",
        "first_line",
        "offset",
        "raw",
        "text",
    )

    def __init__(self, raw: bytes, *, offset: int, first_line: int, continued: bool) -> None:
        """Take the bytes, their offset in the stream, and the number of the first line in them.

        `continued`: the first line began in an earlier region.
        """
        self.raw = raw
        self.offset = offset
        self.first_line = first_line
        self.continued = continued
        self.text = raw
        if b"\r" in raw or b"\x1b" in raw:
            self.text = _NOISE.sub(b"", raw).replace(b"\r", b"\n")
        self.counted = (0, first_line)
        self._removed_at: list[int] | None = None
        self._cumulative: list[int] = []

    @property
    def lines_ended(self) -> int:
        """How many lines end in this region. A cursor's count is reused, not repeated."""
        end, number = self.counted
        return number - self.first_line + self.text.count(b"\n", end)

    def line_bounds(self, start: int, end: int) -> tuple[int, int]:
        """Turn a line's bounds in `text` into offsets in the stream, without the terminator."""
        raw_start = self._raw(start - 1) + 1 if start else 0
        raw_end = self._raw(end)
        if self.raw[raw_end - 1 : raw_end + 1] == b"\r\n":
            raw_end -= 1
        return self.offset + raw_start, self.offset + raw_end

    def _raw(self, position: int) -> int:
        """Return the position in `raw` of the byte at `position` in `text`."""
        if self._removed_at is None:
            self._index()
        removed_at: list[int] = self._removed_at or []
        index = bisect_right(removed_at, position)
        return position + (self._cumulative[index - 1] if index else 0)

    def _index(self) -> None:
        """Note where bytes were removed, and how many up to there. Called on first need."""
        noise = [match.span() for match in _NOISE.finditer(self.raw)]
        self._cumulative = list(accumulate(end - start for start, end in noise))
        before = [0, *self._cumulative]
        self._removed_at = [start - gone for (start, _), gone in zip(noise, before, strict=False)]


class LineCursor:
    """Walks forward through a region's text, line by line."""

    __slots__ = ("_offset", "_region", "_text", "end", "number", "start")

    def __init__(self, region: Region) -> None:
        """Begin at the region's first line."""
        self._region = region
        self._text = region.text
        self._offset = region.offset if region.text is region.raw else None
        self.number = region.first_line
        self.start = 0
        end = region.text.find(b"\n")
        self.end = end if end >= 0 else len(region.text)

    def move_to(self, position: int) -> None:
        """Go to the line that contains `position`, which must not be before the current line."""
        if position <= self.end:
            return
        text, line_end = self._text, self.end
        end = text.find(b"\n", line_end + 1)
        if 0 <= end < position:
            self.number += text.count(b"\n", line_end, position)
            self.start = text.rfind(b"\n", line_end, position) + 1
            end = text.find(b"\n", position)
        else:  # the next line: the usual move in a log full of metrics
            self.number += 1
            self.start = line_end + 1
        self.end = end if end >= 0 else len(text)

    def leave(self) -> None:
        """Save in the region how far its lines are counted.

        It saves numbers, not the cursor: region and cursor would refer to each other, and the
        region's megabyte would stay in memory until the garbage collector runs.
        """
        self._region.counted = (self.end, self.number)

    def next_line(self) -> bool:
        """Go to the next line; return False after the last one."""
        if self.end >= len(self._text) - 1:
            return False
        self.move_to(self.end + 1)
        return True

    @property
    def content(self) -> bytes:
        """The line's text without its terminator."""
        return self._text[self.start : self.end]

    @property
    def bounds(self) -> tuple[int, int]:
        """The line's offsets in the stream, without the terminator."""
        offset = self._offset
        if offset is None:
            return self._region.line_bounds(self.start, self.end)
        return offset + self.start, offset + self.end

    @property
    def stamp(self) -> str | None:
        """The RFC 3339 time stamp at the line's start, if its start is in this region; or None."""
        if self.start == 0 and self._region.continued:
            return None
        return head_stamp(self._text, self.start)
