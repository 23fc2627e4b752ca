"""The interface of a stream. `Segments` and `FollowedFile` implement it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from api.run_directory import AttemptRecord
from collector.streams.stream_position import Gap, StreamPosition

PIECE = 1 << 20
"""Bytes; the most that `Stream.again` yields at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What comes next in a stream."""

    start: StreamPosition
    """Where the bytes begin: the position of the call, or a later one to continue from."""
    data: bytes = b""
    before: bytes = b""
    """The bytes of the position's tail."""
    final: bool = False
    """These are the last bytes of their generation."""
    last: bool = False
    """These are the last bytes of the stream."""
    gap: Gap | None = None
    """What is missing between the position of the call and `start`."""


class Stream(Protocol):
    """One place to which the trainer writes. Bytes can be read again until they are released."""

    @property
    def name(self) -> str:
        """Return `out`, `err`, or a path."""

    def read(
        self,
        position: StreamPosition,
        count: int,
        *,
        over: bool,
        later: AttemptRecord | None = None,
    ) -> Chunk:
        """Return at most `count` bytes from a position; no bytes if none are written yet.

        `over`: the attempt has ended, and writes nothing more. `later`: the record of the next
        attempt, if there is one.
        """

    def again(self, start: StreamPosition, end: StreamPosition) -> Iterator[bytes]:
        """Yield the bytes between two positions of a generation, at most `PIECE` at once.

        If these bytes are destroyed, other bytes or none come.
        """

    def peek(self, position: StreamPosition, offset: int, count: int) -> bytes:
        """Return at most `count` bytes of a position's generation as they are now, for display."""

    def hold(self, position: StreamPosition) -> None:
        """Keep the bytes from a position on readable; call it while they cannot be read yet."""

    def release(self, offset: int, *, all_of_it: bool = False) -> None:
        """Release the bytes before an offset: they are delivered."""

    def close(self) -> None:
        """Close all open files."""
