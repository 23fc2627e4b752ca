"""From chunks of any size to records; what is damaged is skipped and noted.

A record is: 8 bytes of length (little endian), 4 bytes of checksum of these 8 bytes, the data, and
4 bytes of checksum of the data. The checksum is a masked CRC-32C.

| what is wrong                                   | what is done                                 |
|-------------------------------------------------|----------------------------------------------|
| the checksum of the data does not fit           | the record is skipped                        |
| the data has more than `LONGEST_RECORD` bytes   | the record is skipped while it streams by    |
| the checksum of the length does not fit         | the next length that fits is searched for    |
| the file ends within a record                   | it is noted once the file cannot grow        |

A long record that has no summary (a graph, for example) is skipped without a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from struct import Struct
from typing import NamedTuple

from google_crc32c import value as crc32c

from filters.extractor import Position
from filters.lines import LONGEST_LINE, LinePosition
from filters.points import Damage

LONGEST_RECORD = LONGEST_LINE
"""Bytes of data; a reader of streams has room for the longest line, and so for this."""
FRAME_BYTES = 16
"""Bytes of a record beside its data."""
HEADER_BYTES = 12
_FOOTER_BYTES = 4
_LENGTH, _CHECKSUM = Struct("<Q").unpack_from, Struct("<I").unpack_from
_MASK = 0xA282EAD8
_MOST_HEADERS = 256
_ALL_BITS = 0xFFFFFFFF
_HEADER = re.compile(rb"(?s)(?=..[\x00-\x10]\0{5}(?!\0{4})....)")
"""What may be a header whose length is at most `LONGEST_RECORD`; the zeros of a hole are not."""
_SUMMARY = re.compile(rb"(?s)(?:\x09.{8})?(?:\x10[\x80-\xff]*+[\x00-\x7f])?\x2a")
"""The start of an Event that has a summary, behind its wall time and step."""
_ENOUGH = 32
"""Bytes of an Event that show whether it has a summary."""


class Record(NamedTuple):
    """One intact record."""

    data: bytes
    number: int
    """In the file, from 1."""
    start: int
    """Offset in the file of the record's first byte."""
    end: int
    """Offset behind its last byte."""


class RecordSplitter:
    """Splits chunks into records; between two chunks it holds only the unfinished record.

    In a `Position`, `lines.offset` is where the next record begins, `lines.line` its number,
    `lines.continued` says that the next intact length is searched for, and `skip` has the number
    of bytes that are left of a too long record.
    """

    def __init__(self, start: Position) -> None:
        """Begin at the position of an earlier splitter, or at the file's start."""
        self._offset = start.lines.offset
        self._number = start.lines.line
        self._lost = start.lines.continued
        self._skip = start.skip
        self._pending = b""
        self._known_headers: set[bytes] = set()
        """Headers that fit: most records of a file have one of a few lengths."""
        self.records = 0
        """Records that were read or skipped."""
        self.damage: Damage | None = None
        """The range of what could not be read; None where all was read."""

    @property
    def position(self) -> Position:
        """Where a new splitter continues."""
        lines = LinePosition(offset=self._offset, line=self._number, continued=self._lost)
        return Position(lines=lines, skip=self._skip)

    def feed(self, chunk: bytes, wanted: Callable[[bytes], object]) -> Iterator[Record]:
        """Take the file's next bytes; yield the records that they complete.

        Only records whose data `wanted` takes are yielded; the others are counted.
        """
        text = self._pending + chunk if self._pending else chunk
        base, at, end = self._offset, 0, len(text)
        while True:
            if self._skip or self._lost:
                at = self._pass_damage(text, at)
            if self._skip or self._lost or end - at < HEADER_BYTES:
                break
            header = text[at : at + HEADER_BYTES]
            if header not in self._known_headers and not self._is_intact(header):
                self._lose(base + at)
                continue
            (length,) = _LENGTH(text, at)
            stop = at + FRAME_BYTES + length
            if stop > end or length > LONGEST_RECORD:
                if not self._begin_skipping(text, at, length):
                    break
                continue
            data = text[at + HEADER_BYTES : stop - _FOOTER_BYTES]
            if _masked(data) == _CHECKSUM(text, stop - _FOOTER_BYTES)[0]:
                if wanted(data):
                    yield Record(data, self._number, base + at, base + stop)
            else:
                self._note(base + at, base + stop, "the checksum of a record does not fit")
            self._count()
            at = stop
        self._offset, self._pending = base + at, text[at:]

    def finish(self) -> None:
        """End the file; note an unfinished record."""
        end = self._offset + len(self._pending)
        if self._skip or (self._pending and not self._lost):
            self._note(self._offset, end, "the file ends within a record")
        self._offset, self._pending, self._skip, self._lost = end, b"", 0, False

    def note_unreadable(self, record: Record) -> None:
        """Note a record that is intact, but is not an Event."""
        self._note(record.start, record.end, "a record is not an event")

    def _is_intact(self, header: bytes) -> bool:
        fits = header_fits(header, 0)
        if fits and len(self._known_headers) < _MOST_HEADERS:
            self._known_headers.add(header)
        return fits

    def _begin_skipping(self, text: bytes, at: int, length: int) -> bool:
        """Decide on a record that is too long or unfinished; return False to wait for its rest."""
        if length <= LONGEST_RECORD or len(text) - at < HEADER_BYTES + _ENOUGH:
            return False
        self._skip = FRAME_BYTES + length
        if _SUMMARY.match(text, at + HEADER_BYTES):
            start = self._offset + at
            why = f"a record has {length} bytes, and at most {LONGEST_RECORD} are read"
            self._note(start, start + self._skip, why)
        self._count()
        return True

    def _pass_damage(self, text: bytes, at: int) -> int:
        """Return where to continue behind a skipped record, or behind damage, as far as it goes."""
        if self._skip:
            step = min(self._skip, len(text) - at)
            self._skip -= step
            return at + step
        for match in _HEADER.finditer(text, at):
            if header_fits(text, match.start()):
                self._lost = False
                return match.start()
        return max(at, len(text) - HEADER_BYTES + 1)

    def _lose(self, at: int) -> None:
        self._lost = True
        self._count()
        self._note(at, None, "the length of a record is damaged")

    def _count(self) -> None:
        self._number += 1
        self.records += 1

    def _note(self, start: int, end: int | None, why: str) -> None:
        before = self.damage
        self.damage = (
            Damage(start, end, why, 1)
            if before is None
            else before._replace(end=end, places=before.places + 1)
        )


def header_fits(text: bytes, at: int) -> bool:
    """Return whether the length at a place has its checksum behind it."""
    (checksum,) = _CHECKSUM(text, at + 8)
    return _masked(text[at : at + 8]) == int(checksum)


def _masked(data: bytes) -> int:
    """Return the checksum of bytes as event files have it."""
    crc: int = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK) & _ALL_BITS
