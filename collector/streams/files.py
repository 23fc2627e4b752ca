"""Files as the streams need them: a port, for the kernel's files and for files in memory."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class FileStat(NamedTuple):
    """What the kernel says of a regular file."""

    inode: int
    size: int
    mtime: int
    """Of the last write, in microseconds since 1970."""


class OpenFile(Protocol):
    """A file that stays readable while it is open, whatever becomes of its name."""

    def stat(self) -> FileStat:
        """Say what it is now."""

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to so many bytes, fewer only where the file ends there."""

    def close(self) -> None:
        """Let go of it."""


class FileSystem(Protocol):
    """Files by absolute path. What is missing is None; other faults raise SetupError."""

    def stat(self, path: str) -> FileStat | None:
        """Say what stands at a path."""

    def names(self, directory: str) -> list[str]:
        """Return the names in a directory, in any order; none where it is missing."""

    def open(self, path: str) -> OpenFile | None:
        """Open a file for reading."""

    def read(self, path: str) -> bytes | None:
        """Return a whole small file."""

    def unlink(self, path: str) -> None:
        """Remove a file; harmless where it is missing."""

    def replace(self, path: str, data: bytes) -> None:
        """Put a file in place at once: after a crash it is the old one or the new."""
