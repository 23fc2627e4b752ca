"""A container's log: all of it while it is short, the end of it when it is long.

Two files take turns, so that what is kept is at least half of the limit and never more than it.
"""

from __future__ import annotations

import contextlib
import os

LIMIT = 10 << 20
"""Bytes of one container's log: what the kubelet keeps of one file."""
OLDER = ".1"
"""Ends the name of the older file."""


class Log:
    """Takes a container's output; a disk that is full costs lines of the log, never the trainer."""

    def __init__(self, path: str, limit: int = LIMIT) -> None:
        """Go on in a file that may be there: a container that is started again has one log."""
        self._path, self._half = path, limit // 2
        self._file = self._open()
        self._size = os.fstat(self._file).st_size

    def write(self, data: bytes) -> None:
        """Add to it."""
        if self._size and self._size + len(data) > self._half:
            self._turn()
        with contextlib.suppress(OSError):
            self._size += os.write(self._file, data)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)

    def _turn(self) -> None:
        with contextlib.suppress(OSError):
            os.replace(self._path, self._path + OLDER)
            fresh = self._open()
            os.close(self._file)
            self._file, self._size = fresh, 0

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._path, flags, 0o644)
