r"""From chunks of any size to regions of whole lines.

Lines end at `\n`, `\r\n` or a bare `\r`. How the stream is cut into chunks does not matter. Memory
is bounded: a line of more than `LONGEST_LINE` bytes is cut into pieces. Each piece is searched as a
line with the same line number, and the cuts are counted.

A `\r` at the end of a chunk ends its line at once, so that a progress bar need not wait for its
next step. If the next byte is a `\n`, it belongs to the same line end and is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filters.region import Region

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

LONGEST_LINE = 1 << 20
"""Bytes; longer lines are cut."""

_LOOK_BACK = 1 << 14
"""Bytes before the limit in which to look for a good place to cut: a blank, comma or bracket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePosition:
    """The state of a splitter: the bytes before `offset` are done, all others are needed."""

    offset: int = 0
    line: int = 1
    """The number of the line that the next byte belongs to."""
    continued: bool = False
    """The line at `offset` was cut: it began earlier."""
    after_return: bool = False
    """The byte before `offset` is a `\\r`: a `\\n` at `offset` belongs to the same line end."""


class LineSplitter:
    """Splits chunks into regions; between two chunks it holds only the unfinished line."""

    __slots__ = ("_after_return", "_continued", "_line", "_offset", "_pending", "cuts")

    def __init__(self, start: LinePosition) -> None:
        """Begin at the position of an earlier splitter, or at the stream's start."""
        self._offset = start.offset
        self._line = start.line
        self._continued = start.continued
        self._after_return = start.after_return
        self._pending = bytearray()
        self.cuts = 0

    @property
    def position(self) -> LinePosition:
        """Where a new splitter continues."""
        return LinePosition(
            offset=self._offset,
            line=self._line,
            continued=self._continued,
            after_return=self._after_return and not self._pending,
        )

    def feed(self, chunk: bytes) -> Iterator[Region]:
        """Take the stream's next bytes; yield the regions that they complete."""
        if self._after_return and chunk:
            self._after_return = False
            if chunk[0] == _NEWLINE:
                self._offset += 1
                chunk = chunk[1:]
        last_end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        if last_end:
            self._after_return = chunk[last_end - 1] == _RETURN and last_end == len(chunk)
            whole = bytes(self._pending) + chunk[:last_end] if self._pending else chunk[:last_end]
            self._pending = bytearray(chunk[last_end:])
            last = yield from self._cut(whole)
            if last:
                yield from self._region(last, cut=False)
        else:
            self._pending += chunk
        if len(self._pending) > LONGEST_LINE:
            self._pending = bytearray((yield from self._cut(bytes(self._pending))))

    def finish(self) -> Iterator[Region]:
        """End the stream; yield its unfinished last line, if there is one."""
        if self._pending:
            rest, self._pending = bytes(self._pending), bytearray()
            yield from self._region(rest, cut=False)

    def _cut(self, text: bytes) -> Generator[Region, None, bytes]:
        """Yield regions without too long lines; return the rest, at most `LONGEST_LINE` bytes.

        A region ends behind the last line end within the limit. Without a line end, it cuts a line.
        """
        start = 0
        while len(text) - start > LONGEST_LINE:
            window_end = start + LONGEST_LINE + 1
            border = 1 + max(
                text.rfind(b"\n", start, window_end), text.rfind(b"\r", start, window_end)
            )
            cut = border == 0
            if cut:
                border = start + _cut_at(text[start : window_end - 1])
            elif text[border - 1 : border + 1] == b"\r\n":
                border += 1
            yield from self._region(text[start:border], cut=cut)
            start = border
        return text[start:]

    def _region(self, raw: bytes, *, cut: bool) -> Iterator[Region]:
        """Yield one region. Count its lines after its search, which makes counting cheaper."""
        region = Region(raw, offset=self._offset, first_line=self._line, continued=self._continued)
        self._offset += len(raw)
        self._continued = cut
        self.cuts += cut
        yield region
        self._line += region.lines_ended


def _cut_at(line: bytes) -> int:
    """Return where to cut a line that is too long: not within a number, if possible.

    The place is in the last `_LOOK_BACK` bytes before the limit, behind the last blank there, or
    else behind the last comma, semicolon, bracket or bar. Without any of them, it is the limit.
    """
    start = LONGEST_LINE - _LOOK_BACK
    for borders in (b" \t", b",;{}[]()|"):
        behind = 1 + max(line.rfind(byte, start, LONGEST_LINE) for byte in borders)
        if behind:
            return behind
    return LONGEST_LINE


_NEWLINE = 0x0A
_RETURN = 0x0D
