r"""A region of a log as the matchers see it, and the way back to the bytes of the stream.

Matchers see text in which each line ends at `\n`: terminal escapes and the `\r` of `\r\n` are
taken out, a bare `\r` (a progress bar's) is a `\n`. A region has whole lines only, but for the
pieces of a line that was too long and for a stream's unfinished last line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from filters.stamps import head_stamp

# ECMA-48: CSI sequences (colours, cursor), OSC strings (titles, links), two-byte escapes.
# No sequence reaches over the end of a line, so taking it out leaves the line count alone.
_NOISE = re.compile(
    rb"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\r\n]*+(?:\x07|\x1b\\)|[ -/]*+[0-~])|\r(?=\n)"
)


class Region:
    """Consecutive bytes of a stream, with the text that is to be searched."""

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

        `continued` says that the first line began in an earlier region.
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
        """How many lines end in this region. What a cursor has counted is not counted again."""
        end, number = self.counted
        return number - self.first_line + self.text.count(b"\n", end)

    def line_bounds(self, start: int, end: int) -> tuple[int, int]:
        """Turn a line's bounds in `text` into offsets in the stream, the terminator left out."""
        if self.text is self.raw:
            return self.offset + start, self.offset + end
        raw_start = self._raw(start - 1) + 1 if start else 0
        raw_end = self._raw(end)
        if self.raw[raw_end - 1 : raw_end + 1] == b"\r\n":
            raw_end -= 1
        return self.offset + raw_start, self.offset + raw_end

    def _raw(self, position: int) -> int:
        """Return where in `raw` the byte at `position` of `text` stands."""
        if self._removed_at is None:
            self._index()
        removed_at: list[int] = self._removed_at or []
        index = bisect_right(removed_at, position)
        return position + (self._cumulative[index - 1] if index else 0)

    def _index(self) -> None:
        """Note where in `text` bytes are missing, and how many up to there. Done on first need."""
        noise = [match.span() for match in _NOISE.finditer(self.raw)]
        self._cumulative = list(accumulate(end - start for start, end in noise))
        before = [0, *self._cumulative]
        self._removed_at = [start - gone for (start, _), gone in zip(noise, before, strict=False)]


class LineCursor:
    """Walks forward through a region's text and knows the line that a position is in."""

    __slots__ = ("_region", "_text", "end", "number", "start")

    def __init__(self, region: Region) -> None:
        """Stand on the region's first line."""
        self._region = region
        self._text = region.text
        self.number = region.first_line
        self.start = 0
        end = region.text.find(b"\n")
        self.end = end if end >= 0 else len(region.text)

    def move_to(self, position: int) -> None:
        """Stand on the line with `position`, which is not before the line stood on now."""
        if position <= self.end:
            return
        text, here = self._text, self.end
        end = text.find(b"\n", here + 1)
        if 0 <= end < position:
            self.number += text.count(b"\n", here, position)
            self.start = text.rfind(b"\n", here, position) + 1
            end = text.find(b"\n", position)
        else:  # the next line, which is where most moves of a log full of metrics go
            self.number += 1
            self.start = here + 1
        self.end = end if end >= 0 else len(text)

    def leave(self) -> None:
        """Tell the region how far its lines are counted.

        A number, not the cursor itself: two objects that hold each other would keep a region's
        megabyte until the garbage collector comes by.
        """
        self._region.counted = (self.end, self.number)

    def next_line(self) -> bool:
        """Stand on the next line; False where there is none."""
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
        """The line's offsets in the stream, the terminator left out."""
        return self._region.line_bounds(self.start, self.end)

    @property
    def stamp(self) -> str | None:
        """The RFC 3339 stamp that the line begins with, if its beginning is in this region."""
        if self._region.continued and self.start == 0:
            return None
        return head_stamp(self._text, self.start)
