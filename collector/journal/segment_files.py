"""The files that a journal writes: the port, and the files on the kernel's file systems."""

from __future__ import annotations

import os
from pathlib import Path
from posixpath import dirname
from typing import Protocol

_APPEND = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class SegmentFile(Protocol):
    """An open segment. Each call raises OSError where the disk does not do it."""

    def append(self, data: memoryview) -> int:
        """Write at the end; return how many bytes were written, which may be fewer."""

    def force(self) -> None:
        """Return when what was written is on the disk."""

    def cut(self, size: int) -> None:
        """Remove the bytes behind a size."""

    def ends_with(self, data: bytes) -> bool:
        """Return whether these are its last bytes."""

    def close(self) -> None:
        """Close it."""


class SegmentFiles(Protocol):
    """The directories with segments. Each call raises OSError where the disk does not do it."""

    def sizes(self, directory: str) -> dict[str, int]:
        """Return the sizes of a directory's files by their names; empty if it is missing."""

    def make_directory(self, directory: str) -> None:
        """Make a directory and those above it, as far as they are missing."""

    def open(self, path: str) -> SegmentFile:
        """Open a file; make it if it is missing."""


class DiskSegmentFiles:
    """`SegmentFiles` on the disk; a new file is in its directory also after a power cut."""

    def sizes(self, directory: str) -> dict[str, int]:
        """Return the sizes of a directory's files by their names; empty if it is missing."""
        try:
            with os.scandir(directory) as entries:
                return {each.name: each.stat(follow_symlinks=False).st_size for each in entries}
        except FileNotFoundError:
            return {}

    def make_directory(self, directory: str) -> None:
        """Make a directory and those above it, as far as they are missing."""
        path = Path(directory)
        if not path.is_dir():
            self.make_directory(str(path.parent))
            path.mkdir(exist_ok=True)
            _force_directory(str(path.parent))

    def open(self, path: str) -> DiskSegmentFile:
        """Open a file; make it if it is missing."""
        try:
            return DiskSegmentFile(os.open(path, _APPEND))
        except FileNotFoundError:
            descriptor = os.open(path, _APPEND | os.O_CREAT, 0o600)
        try:
            _force_directory(dirname(path))
        except OSError:
            os.close(descriptor)
            raise
        return DiskSegmentFile(descriptor)


class DiskSegmentFile:
    """`SegmentFile` on the disk."""

    def __init__(self, descriptor: int) -> None:
        """Take an open descriptor."""
        self._descriptor = descriptor

    def append(self, data: memoryview) -> int:
        """Write at the end; return how many bytes were written, which may be fewer."""
        return os.write(self._descriptor, data)

    def force(self) -> None:
        """Return when what was written is on the disk."""
        os.fdatasync(self._descriptor)

    def cut(self, size: int) -> None:
        """Remove the bytes behind a size."""
        os.ftruncate(self._descriptor, size)

    def ends_with(self, data: bytes) -> bool:
        """Return whether these are its last bytes."""
        size = os.fstat(self._descriptor).st_size
        return size >= len(data) and os.pread(self._descriptor, len(data), size - len(data)) == data

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


def _force_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
