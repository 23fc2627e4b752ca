"""The trainer's stdout and stderr: forwarded to the original output, and copied to segments."""

from __future__ import annotations

import array
import fcntl
import os
import select
import termios
from dataclasses import dataclass, field

from api.names import SEGMENT_DIGITS
from api.run_directory import SEGMENT_BYTES

_CHUNK = 1 << 16
_PIECE = select.PIPE_BUF
"""Bytes that a pipe accepts after POLLOUT without blocking."""


@dataclass(slots=True)
class _Segment:
    descriptor: int
    number: int
    filled: int


@dataclass(slots=True)
class Segments:
    """The segments of one attempt. A fault ends the capture, not the training."""

    folder: bytes
    incomplete: str | None = None
    """Why bytes are missing; None while none are."""
    _current: dict[str, _Segment] = field(default_factory=dict)

    def open_first(self, prefix: str) -> None:
        """Make a stream's first segment.

        Raises:
            OSError: it cannot be made.
        """
        self._current[prefix] = self._make(prefix, 1)

    def keep(self, prefix: str, chunk: bytes) -> None:
        """Append bytes to a stream's segments."""
        rest = memoryview(chunk)
        try:
            while rest and self.incomplete is None:
                segment = self._with_room(prefix)
                wrote = os.write(segment.descriptor, rest[: SEGMENT_BYTES - segment.filled])
                segment.filled += wrote
                rest = rest[wrote:]
        except OSError as fault:
            self.incomplete = fault.strerror

    def _with_room(self, prefix: str) -> _Segment:
        segment = self._current[prefix]
        if segment.filled == SEGMENT_BYTES:
            self._current[prefix] = self._make(prefix, segment.number + 1)
            os.close(segment.descriptor)
        return self._current[prefix]

    def _make(self, prefix: str, number: int) -> _Segment:
        path = os.path.join(self.folder, f"{prefix}{number:0{SEGMENT_DIGITS}d}".encode())  # noqa: PTH118
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        return _Segment(descriptor, number, 0)


@dataclass(slots=True)
class Stream:
    """One of the two streams, between the trainer's pipe and the original output."""

    prefix: str
    source: int | None
    target: int | None
    segments: Segments
    held: bytes = b""
    """Bytes in a segment that are not forwarded yet; until they are, nothing more is read."""

    def read_once(self) -> None:
        """Read once, and copy the bytes to the segments; at the end close the source."""
        if self.source is None:
            return
        try:
            chunk = os.read(self.source, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            self._close_source()
        self.segments.keep(self.prefix, chunk)
        self.held += chunk

    def read_rest(self) -> bytes:
        """Read the bytes in the pipe, even if it is still open elsewhere; then close the source."""
        if self.source is None:
            return b""
        waiting = array.array("i", [0])
        fcntl.ioctl(self.source, termios.FIONREAD, waiting)
        rest = os.read(self.source, waiting[0]) if waiting[0] else b""
        self.segments.keep(self.prefix, rest)
        self._close_source()
        return rest

    def end(self) -> None:
        """After the trainer's end: read the last bytes, which remain to be forwarded."""
        self.held += self.read_rest()

    def send_onward(self, seen: int) -> None:
        """Write a piece that cannot block. If the reader is gone, close the trainer's pipe too."""
        if self.target is None:
            return
        gone = bool(seen & (select.POLLERR | select.POLLHUP | select.POLLNVAL))
        try:
            if self.held and seen & select.POLLOUT:
                self.held = self.held[os.write(self.target, self.held[:_PIECE]) :]
        except BrokenPipeError:
            gone = True
        except BlockingIOError:
            return
        except OSError:
            self.held = b""  # for example a full disk: the next bytes may succeed
        if gone:
            self.read_rest()
            self.held = b""

    def release(self, null: int) -> None:
        """Close the target, so that its reader sees the end when the trainer's output ends."""
        if self.target is not None and self.source is None and not self.held:
            os.dup2(null, self.target)
            self.target = None

    def _close_source(self) -> None:
        if self.source is not None:
            os.close(self.source)
            self.source = None
