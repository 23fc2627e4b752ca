"""The port to files. `collector.disk_files` and `collector.testing.memory` implement it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from api.errors import SetupError


class LeavesVolume(SetupError):
    """A symbolic link on a path leads out of the volume that the trainer writes to."""


class FileStat(NamedTuple):
    """Facts about a regular file."""

    inode: int
    size: int
    """Bytes."""
    mtime: int
    """Time of the last write, in microseconds since 1970."""


class OpenFile(Protocol):
    """An open file. It stays readable even if its name is changed or removed."""

    def stat(self) -> FileStat:
        """Return the file's facts as they are now."""

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes; fewer only at the end of the file."""

    def duplicate(self) -> OpenFile:
        """Return the same file, open once more: either one may be closed first."""

    def close(self) -> None:
        """Close the file."""


class FileSystem(Protocol):
    """Files by absolute path. A missing file is None; other faults raise SetupError."""

    def stat(self, path: str) -> FileStat | None:
        """Return the facts about the file at a path."""

    def names(self, directory: str) -> list[str]:
        """Return the names in a directory, in any order; empty where it is missing."""

    def directories(self, directory: str) -> list[str]:
        """Return the names of the directories in a directory, links left out; may be empty."""

    def open(self, path: str) -> OpenFile | None:
        """Open a file for reading."""

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a small file."""

    def unlink(self, path: str) -> None:
        """Remove a file; do nothing where it is missing."""

    def replace(self, path: str, data: bytes) -> None:
        """Replace a file atomically: after a crash it is either the old one or the new one."""
