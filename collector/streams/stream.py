"""What a source of bytes looks like to the session: the launcher's segments and a user's file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from api.run_directory import AttemptRecord
from collector.streams.stream_position import Gap, Place

PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What comes next in a stream."""

    place: Place
    """Where the bytes begin: where it was asked for, or where there is something to go on with."""
    data: bytes = b""
    before: bytes = b""
    """The bytes of the place's tail."""
    final: bool = False
    """Nothing follows these bytes in their generation."""
    last: bool = False
    """Nothing follows them in the whole stream."""
    gap: Gap | None = None
    """What is missing between the place asked for and this one."""


class Stream(Protocol):
    """One place where the trainer writes. Reads are repeatable until they are released."""

    @property
    def name(self) -> str:
        """Return `out`, `err`, or a path."""

    def read(
        self, place: Place, count: int, *, over: bool, later: AttemptRecord | None = None
    ) -> Chunk:
        """Return at most so many bytes from a place on; none where nothing is there yet.

        `over`: the attempt has ended; nobody writes for it any more. `later`: how the next one
        began, where there is one.
        """

    def again(self, start: Place, end: Place) -> Iterator[bytes]:
        """Give the bytes between two places of a generation, or others where they are destroyed.

        The pieces are of at most `PIECE` bytes.
        """

    def peek(self, place: Place, offset: int, count: int) -> bytes:
        """Return at most so many bytes of a place's generation as they are now; for people."""

    def release(self, offset: int, *, all_of_it: bool = False) -> None:
        """Let go of what stands before an offset: it is delivered."""

    def close(self) -> None:
        """Close what is open."""
