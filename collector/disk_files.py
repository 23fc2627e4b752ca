"""The port to files, on the kernel's file systems.

Files survive a crash of processes, not one of the machine: nothing is forced to the disk, because
the run directory is deleted with its pod.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from posixpath import basename, dirname, join

from api.errors import SetupError, Unavailable
from collector.streams.files import FileStat

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
_MODE = 0o666


class DiskFile:
    """An open regular file."""

    def __init__(self, descriptor: int) -> None:
        """Take an open descriptor."""
        self._descriptor = descriptor

    def stat(self) -> FileStat:
        """Return the file's facts as they are now."""
        return _stat(os.fstat(self._descriptor))

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes; fewer only at the end of the file."""
        data = os.pread(self._descriptor, count, offset)
        if len(data) in (0, count):
            return data
        pieces = [data]
        while data:  # a signal, or the kernel's own limit
            offset, count = offset + len(data), count - len(data)
            data = os.pread(self._descriptor, count, offset)
            pieces.append(data)
        return b"".join(pieces)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class DiskFiles:
    """`collector.core.ports.FileSystem`. What is not a regular file counts as missing.

    Raises SetupError where access is denied, Unavailable where there is no room at the moment.
    """

    def stat(self, path: str) -> FileStat | None:
        """Return the facts about the file at a path."""
        try:
            result = os.stat(path)
        except OSError as error:
            _check_missing(error, path, "read")
            return None
        return _stat(result) if stat.S_ISREG(result.st_mode) else None

    def names(self, directory: str) -> list[str]:
        """Return the names in a directory."""
        try:
            return os.listdir(directory)
        except OSError as error:
            _check_missing(error, directory, "list")
            return []

    def open(self, path: str) -> DiskFile | None:
        """Open a file for reading."""
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError as error:
            _check_missing(error, path, "read")
            return None
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return DiskFile(descriptor)
        os.close(descriptor)
        return None

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a small file."""
        file = self.open(path)
        if file is None:
            return None
        with contextlib.closing(file):
            return file.read_at(0, file.stat().size)

    def unlink(self, path: str) -> None:
        """Remove a file."""
        try:
            os.unlink(path)
        except OSError as error:
            _check_missing(error, path, "remove")

    def replace(self, path: str, data: bytes) -> None:
        """Replace a file atomically, by a rename."""
        temporary = join(dirname(path), f".{basename(path)}.new")
        try:
            descriptor = os.open(temporary, _NEW, _MODE)
            try:
                with contextlib.suppress(PermissionError):  # an earlier collector's
                    os.fchmod(descriptor, _MODE)
                left = memoryview(data)
                while left:
                    left = left[os.write(descriptor, left) :]
            finally:
                os.close(descriptor)
            os.rename(temporary, path)
        except OSError as error:
            raise _fault(error, path, "write") from error


def _stat(result: os.stat_result) -> FileStat:
    return FileStat(inode=result.st_ino, size=result.st_size, mtime=result.st_mtime_ns // 1000)


def _check_missing(error: OSError, path: str, what: str) -> None:
    """Return if the file is only missing; raise otherwise."""
    if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.EISDIR):
        raise _fault(error, path, what) from error


def _fault(error: OSError, path: str, what: str) -> SetupError | Unavailable:
    why = os.strerror(error.errno or 0)
    if error.errno in _FULL:
        return Unavailable(f"cannot {what} {path} now: {why}")
    if error.errno == errno.ENOENT:
        return SetupError(f"cannot {what} {path}: {why}. Its directory was removed")
    owner = ""
    with contextlib.suppress(OSError):
        result = os.stat(path)
        owner = f"; it belongs to user {result.st_uid}, mode {stat.S_IMODE(result.st_mode):04o}"
    return SetupError(
        f"cannot {what} {path} as user {os.geteuid()}: {why}{owner}. Let the training and the "
        "collector run as one user (annotation trialwatch.dev/run-as-user), or make the file "
        "readable for all users"
    )
