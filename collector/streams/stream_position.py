"""How far a stream is read, and how this position is found again after a crash.

A *stream* is all that the trainer writes to one place: its standard output, its standard error, or
the file at a path. A stream is a series of *generations*: a rotation begins a new one, and so does
a truncation. The launcher's segments are one endless generation.

Inode numbers are reused, and files that were cut grow again. So a generation is recognized by its
bytes: those just before the position, and those at its start. Birth times are not used (Python does
not provide them), nor change times (every write changes them). Before the first read there are no
bytes to compare, so the inode alone must suffice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b

from filters.extractor import Position
from filters.lines import LinePosition

FINGERPRINT_BYTES = 256
"""Bytes to compare. Two files that share them, at the same offset, count as the same file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """A digest of `length` bytes, to recognize them later."""

    length: int = 0
    digest: str = ""

    @classmethod
    def of(cls, data: bytes) -> Fingerprint:
        """Return the fingerprint of these bytes."""
        return cls(length=len(data), digest=digest_of(data)) if data else cls()

    def fits(self, data: bytes) -> bool:
        """Return whether these are the same bytes."""
        return len(data) == self.length and (not data or digest_of(data) == self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A file that must not be read again. Its inode alone may belong to another file later."""

    inode: int
    head: Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One life of a file."""

    serial: int = 1
    """The generation's number in the stream, from 1."""
    inode: int | None = None
    """None for segments, and for a file that does not exist yet."""
    written: int = 0
    """Time of the last write, at the last look, in microseconds since 1970."""
    others: tuple[SeenFile, ...] = ()
    """Rotated files that existed before: none of them comes after this generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPosition:
    """How far a stream is read. A part of the checkpoint: its fields are the file's keys."""

    generation: Generation = field(default_factory=Generation)
    position: Position = field(default_factory=Position)
    head: Fingerprint = field(default_factory=Fingerprint)
    """The generation's first bytes, at most `FINGERPRINT_BYTES`."""
    tail: Fingerprint = field(default_factory=Fingerprint)
    """The bytes before the position, at most `FINGERPRINT_BYTES`."""
    inherited: bool = False
    """An earlier attempt has read up to here; this attempt has not read this generation yet."""
    sealed: bool = False
    """This generation is read, with its unfinished last line; another one will follow."""
    finished: bool = False
    """The stream has ended and is read."""

    @property
    def offset(self) -> int:
        """The generation's first byte that is not read yet."""
        return self.position.lines.offset

    def advanced(self, position: Position, before: bytes, data: bytes) -> StreamPosition:
        """Return a later position. `before`: the bytes of `tail`; `data`: those after it."""
        read = position.lines.offset - self.offset
        if not read:
            return replace(self, position=position)
        head = self.head
        if head.length < FINGERPRINT_BYTES and len(before) == self.offset:
            head = Fingerprint.of(
                (before + data[: min(read, FINGERPRINT_BYTES)])[:FINGERPRINT_BYTES]
            )
        last = data[max(0, read - FINGERPRINT_BYTES) : read]
        tail = Fingerprint.of((before + last)[-FINGERPRINT_BYTES:])
        return replace(self, position=position, head=head, tail=tail, inherited=False)

    def next_generation(
        self, inode: int | None, others: tuple[SeenFile, ...] = ()
    ) -> StreamPosition:
        """Return the start of another generation; line numbers continue."""
        serial = self.generation.serial + 1
        return StreamPosition(
            generation=Generation(
                serial=serial, inode=inode, written=self.generation.written, others=others
            ),
            position=Position(lines=LinePosition(line=self.position.lines.line)),
        )

    def skipped_to(self, offset: int) -> StreamPosition:
        """Return the position after missing bytes; the next line may have begun among them."""
        lines = LinePosition(offset=offset, line=self.position.lines.line, continued=True)
        return replace(self, position=Position(lines=lines), tail=Fingerprint(), inherited=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Bytes that were written and cannot be read any more; they may contain metrics."""

    stream: str
    generation: int
    """The generation's serial."""
    start: int
    end: int | None
    """None where it is unknown how much was written."""
    why: str

    def __str__(self) -> str:
        until = "its unknown end" if self.end is None else f"byte {self.end}"
        return f"{self.stream}, file {self.generation}: byte {self.start} to {until}: {self.why}"


def digest_of(data: bytes) -> str:
    """Return a digest of 128 bits in hexadecimal."""
    return blake2b(data, digest_size=16).hexdigest()
