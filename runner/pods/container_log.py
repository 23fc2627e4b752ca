"""A container's log with a size limit: of a long log, the end is kept.

Two files alternate, so that at least half of the limit and at most the limit is kept.
"""

from __future__ import annotations

import contextlib
import os

LIMIT = 10 << 20
"""The most bytes of one container's log, as the kubelet's limit for one file."""
OLDER = ".1"
"""The suffix of the older file's name."""


class ContainerLog:
    """Writes a container's output; if the disk is full, lines are lost, but the trainer goes on."""

    def __init__(self, path: str, limit: int = LIMIT) -> None:
        """Open the log; all starts of a container append to the same log."""
        self._path, self._half = path, limit // 2
        self._file = self._open()
        self._size = os.fstat(self._file).st_size

    def write(self, data: bytes) -> None:
        """Append data."""
        if self._size and self._size + len(data) > self._half:
            self._rotate()
        with contextlib.suppress(OSError):
            self._size += os.write(self._file, data)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _rotate(self) -> None:
        with contextlib.suppress(OSError):
            os.replace(self._path, self._path + OLDER)
            fresh = self._open()
            os.close(self._file)
            self._file, self._size = fresh, 0

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(self._path, flags, 0o644)
