"""Where the reading of a stream stands, and how it is known again after a crash.

A *stream* is what the trainer writes in one place: its standard output, its standard error, or
the file at a path. A stream is a row of *generations*: a rotation begins a new one, and so does a
truncation. The launcher's segments are one endless generation.

Inode numbers are used again and sizes grow back, so a generation is known by its bytes: those just
before the place, and those at its head. Birth times are not used (Python does not tell them), nor
change times (every write changes them). Where nothing has been read yet there are no bytes to know
it by, and the inode must do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b

from filters.extractor import Position
from filters.lines import LinePosition

ANCHOR_BYTES = 256
"""A log that writes the same bytes at the same place twice, so many of them, deceives us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A digest of `length` bytes, by which they are known again."""

    length: int = 0
    digest: str = ""

    @classmethod
    def of(cls, data: bytes) -> Anchor:
        """Take the digest."""
        return cls(length=len(data), digest=digest_of(data)) if data else cls()

    def fits(self, data: bytes) -> bool:
        """Say whether these are the bytes."""
        return len(data) == self.length and (not data or digest_of(data) == self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A file that has nothing for us. Its inode alone may be another file's tomorrow."""

    inode: int
    head: Anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One life of a file."""

    serial: int = 1
    """The stream's generations are numbered from 1."""
    inode: int | None = None
    """None for segments, and for a file that is not there yet."""
    written: int = 0
    """When it was last written, as we last saw it, in microseconds since 1970."""
    others: tuple[Passed, ...] = ()
    """The rotated files that were there already: none of them comes after this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a stream has been read."""

    generation: Generation = field(default_factory=Generation)
    position: Position = field(default_factory=Position)
    head: Anchor = field(default_factory=Anchor)
    """The generation's first bytes, at most `ANCHOR_BYTES`."""
    tail: Anchor = field(default_factory=Anchor)
    """The bytes before the position, at most `ANCHOR_BYTES`."""
    inherited: bool = False
    """An earlier attempt has read up to here, this one has not read of this generation yet."""
    sealed: bool = False
    """All of this generation has been read, its unfinished last line too; another will follow."""
    finished: bool = False
    """The stream has ended, and all of it has been read."""

    @property
    def offset(self) -> int:
        """The first byte of the generation that is still to be read."""
        return self.position.lines.offset

    def moved(self, position: Position, before: bytes, data: bytes) -> Place:
        """Go on to a position. `before` are the bytes of the tail, `data` those behind it."""
        read = position.lines.offset - self.offset
        if not read:
            return replace(self, position=position)
        head = self.head
        if head.length < ANCHOR_BYTES and len(before) == self.offset:
            head = Anchor.of((before + data[: min(read, ANCHOR_BYTES)])[:ANCHOR_BYTES])
        last = data[max(0, read - ANCHOR_BYTES) : read]
        tail = Anchor.of((before + last)[-ANCHOR_BYTES:])
        return replace(self, position=position, head=head, tail=tail, inherited=False)

    def renewed(self, inode: int | None, others: tuple[Passed, ...] = ()) -> Place:
        """Begin another generation at its first byte; lines are counted on."""
        serial = self.generation.serial + 1
        return Place(
            generation=Generation(
                serial=serial, inode=inode, written=self.generation.written, others=others
            ),
            position=Position(lines=LinePosition(line=self.position.lines.line)),
        )

    def leapt(self, offset: int) -> Place:
        """Go on behind bytes that are missing; the next line may have begun among them."""
        lines = LinePosition(offset=offset, line=self.position.lines.line, continued=True)
        return replace(self, position=Position(lines=lines), tail=Anchor(), inherited=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Bytes that were written and cannot be read any more; lines in them may hold metrics."""

    stream: str
    generation: int
    """Its serial."""
    start: int
    end: int | None
    """None where nobody knows how much was written."""
    why: str

    def __str__(self) -> str:
        until = "its unknown end" if self.end is None else f"byte {self.end}"
        return f"{self.stream}, file {self.generation}: byte {self.start} to {until}: {self.why}"


def digest_of(data: bytes) -> str:
    """Return a digest in hexadecimal, long enough that no two texts share one."""
    return blake2b(data, digest_size=16).hexdigest()
