"""The trainer's stdout and stderr: on to where they went before, and into segments."""

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
"""After POLLOUT a pipe takes so much without blocking."""


@dataclass(slots=True)
class _Segment:
    descriptor: int
    number: int
    filled: int


@dataclass(slots=True)
class Segments:
    """The segments of one attempt; what cannot be kept costs the capture, never the training."""

    folder: bytes
    incomplete: str | None = None
    """Why something is missing, once it is."""
    _now: dict[str, _Segment] = field(default_factory=dict)

    def open_first(self, prefix: str) -> None:
        """Make a stream's first segment; raises OSError."""
        self._now[prefix] = self._make(prefix, 1)

    def keep(self, prefix: str, chunk: bytes) -> None:
        """Add bytes to a stream, in as many segments as it takes."""
        rest = memoryview(chunk)
        try:
            while rest and self.incomplete is None:
                at = self._with_room(prefix)
                wrote = os.write(at.descriptor, rest[: SEGMENT_BYTES - at.filled])
                at.filled += wrote
                rest = rest[wrote:]
        except OSError as fault:
            self.incomplete = fault.strerror

    def _with_room(self, prefix: str) -> _Segment:
        at = self._now[prefix]
        if at.filled == SEGMENT_BYTES:
            self._now[prefix] = self._make(prefix, at.number + 1)
            os.close(at.descriptor)
        return self._now[prefix]

    def _make(self, prefix: str, number: int) -> _Segment:
        path = os.path.join(self.folder, f"{prefix}{number:0{SEGMENT_DIGITS}d}".encode())  # noqa: PTH118
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        return _Segment(descriptor, number, 0)


@dataclass(slots=True)
class Stream:
    """One of the two streams, between the trainer's pipe and where it went before."""

    prefix: str
    source: int | None
    target: int | None
    segments: Segments
    held: bytes = b""
    """Read and kept, not yet sent onward: while there is some, nothing more is read."""

    def take(self) -> None:
        """Read what waits; at the end, close the source."""
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

    def take_rest(self) -> bytes:
        """Keep what lies in the pipe now, be it still open somewhere or not; close our end."""
        if self.source is None:
            return b""
        waiting = array.array("i", [0])
        fcntl.ioctl(self.source, termios.FIONREAD, waiting)
        rest = os.read(self.source, waiting[0]) if waiting[0] else b""
        self.segments.keep(self.prefix, rest)
        self._close_source()
        return rest

    def end(self) -> None:
        """The trainer has ended: what it wrote last is kept, and is to be sent on."""
        self.held += self.take_rest()

    def send_onward(self, seen: int) -> None:
        """Write a piece that cannot block. A reader that is gone is gone for the trainer too."""
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
            self.held = b""  # a full disk behind stdout, say: the next bytes may fare better
        if gone:
            self.take_rest()
            self.held = b""

    def release(self, null: int) -> None:
        """Let go of the target, so that its reader sees the end when the trainer made it."""
        if self.target is not None and self.source is None and not self.held:
            os.dup2(null, self.target)
            self.target = None

    def _close_source(self) -> None:
        if self.source is not None:
            os.close(self.source)
            self.source = None
