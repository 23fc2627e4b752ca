"""Files as the kernel has them.

A crash of processes is survived, not one of the machine: nothing is forced to the disk, for the
run directory dies with its pod.
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
        """Say what the file is now."""
        return _stat(os.fstat(self._descriptor))

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to so many bytes, fewer only where the file ends there."""
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
        """Let go of it; closing twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Disk:
    """`collector.core.ports.FileSystem`. What is no regular file counts as missing.

    Raises SetupError where we may not read or write, Unavailable where there is no room now.
    """

    def stat(self, path: str) -> FileStat | None:
        """Say what stands at a path."""
        try:
            found = os.stat(path)
        except OSError as error:
            _check_missing(error, path, "read")
            return None
        return _stat(found) if stat.S_ISREG(found.st_mode) else None

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
        """Return a whole small file."""
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
        """Put a file in place by renaming a new one."""
        temporary = join(dirname(path), f".{basename(path)}.new")
        try:
            descriptor = os.open(temporary, _NEW, _MODE)
            try:
                with contextlib.suppress(PermissionError):  # another user's, made by an earlier us
                    os.fchmod(descriptor, _MODE)
                left = memoryview(data)
                while left:
                    left = left[os.write(descriptor, left) :]
            finally:
                os.close(descriptor)
            os.rename(temporary, path)
        except OSError as error:
            raise _fault(error, path, "write") from error


def _stat(found: os.stat_result) -> FileStat:
    return FileStat(inode=found.st_ino, size=found.st_size, mtime=found.st_mtime_ns // 1000)


def _check_missing(error: OSError, path: str, what: str) -> None:
    """Return where there is simply nothing; raise otherwise."""
    if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.EISDIR):
        raise _fault(error, path, what) from error


def _fault(error: OSError, path: str, what: str) -> SetupError | Unavailable:
    why = os.strerror(error.errno or 0)
    if error.errno in _FULL:
        return Unavailable(f"cannot {what} {path} now: {why}")
    if error.errno == errno.ENOENT:
        return SetupError(f"cannot {what} {path}: {why}. Somebody has removed its directory")
    owner = ""
    with contextlib.suppress(OSError):
        found = os.stat(path)
        owner = f"; it belongs to user {found.st_uid}, mode {stat.S_IMODE(found.st_mode):04o}"
    return SetupError(
        f"cannot {what} {path} as user {os.geteuid()}: {why}{owner}. Let the training and the "
        "collector run as one user (annotation trialwatch.dev/run-as-user), or make the file "
        "readable for all"
    )
