"""The port to files, on the kernel's file systems.

Files survive a crash of processes, not one of the machine: nothing is forced to the disk, because
the run directory is deleted with its pod.

Paths in a volume that the trainer writes are opened as `shared_volume` says.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from posixpath import basename, dirname

from api.errors import SetupError, Unavailable
from collector.beneath import DIRECTORY, LEAVES
from collector.shared_volume import SharedVolume
from collector.streams.files import FileStat, LeavesVolume

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o666
_MOST_READ = 16 << 20
"""Bytes of a record or a checkpoint, at most: the trainer may put a file of any size there."""


class DiskFile:
    """An open regular file.

    Raises Unavailable where it cannot be read at the moment: on a network file system it may be
    gone although it is open.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        """Take an open descriptor; `path` is for messages."""
        self._descriptor = descriptor
        self._path = path

    def stat(self) -> FileStat:
        """Return the file's facts as they are now."""
        with self._readable():
            return _stat(os.fstat(self._descriptor))

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes; fewer only at the end of the file."""
        with self._readable():
            return self._read_at(offset, count)

    def _read_at(self, offset: int, count: int) -> bytes:
        data = os.pread(self._descriptor, count, offset)
        if len(data) in (0, count):
            return data
        pieces = [data]
        while data:  # a signal, or the kernel's own limit
            offset, count = offset + len(data), count - len(data)
            data = os.pread(self._descriptor, count, offset)
            pieces.append(data)
        return b"".join(pieces)

    def duplicate(self) -> DiskFile:
        """Return the same file, open once more."""
        with self._readable():
            return DiskFile(os.dup(self._descriptor), self._path)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @contextlib.contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise Unavailable(f"cannot read {self._path} now: {why}") from error


class DiskFiles:
    """`collector.core.ports.FileSystem`. What is not a regular file counts as missing.

    Raises SetupError where access is denied, Unavailable where there is no room at the moment, and
    LeavesVolume where a path leads out of the volume that it begins in.
    """

    def __init__(self, *shared: SharedVolume) -> None:
        """Take the directories that the trainer may write to; all others are the collector's."""
        self._shared = sorted(shared, key=lambda volume: len(volume.directory), reverse=True)

    def stat(self, path: str) -> FileStat | None:
        """Return the facts about the file at a path."""
        try:
            descriptor = self._open(path, os.O_PATH)
        except OSError as error:
            self._check_missing(error, path, "read")
            return None
        try:
            result = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return _stat(result) if stat.S_ISREG(result.st_mode) else None

    def names(self, directory: str) -> list[str]:
        """Return the names in a directory."""
        try:
            descriptor = self._open(directory, _FLAGS | os.O_DIRECTORY)
        except OSError as error:
            self._check_missing(error, directory, "list")
            return []
        try:
            return os.listdir(descriptor)
        finally:
            os.close(descriptor)

    def directories(self, directory: str) -> list[str]:
        """Return the names of the directories in a directory; links are left out."""
        try:
            descriptor = self._open(directory, _FLAGS | os.O_DIRECTORY)
        except OSError as error:
            self._check_missing(error, directory, "list")
            return []
        try:
            with os.scandir(descriptor) as entries:
                return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        finally:
            os.close(descriptor)

    def open(self, path: str) -> DiskFile | None:
        """Open a file for reading."""
        try:
            descriptor = self._open(path, _FLAGS)
        except OSError as error:
            self._check_missing(error, path, "read")
            return None
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return DiskFile(descriptor, path)
        os.close(descriptor)
        return None

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a small file."""
        file = self.open(path)
        if file is None:
            return None
        with contextlib.closing(file):
            size = file.stat().size
            if size > _MOST_READ:
                raise SetupError(
                    f"cannot read {path}: it has {size} bytes, and at most {_MOST_READ} are"
                    " expected. Only the launcher and the collector may write this file"
                )
            return file.read_at(0, size)

    def unlink(self, path: str) -> None:
        """Remove a file."""
        try:
            with self._parent_of(path) as (parent, name):
                os.unlink(name, dir_fd=parent)
        except OSError as error:
            self._check_missing(error, path, "remove")

    def replace(self, path: str, data: bytes) -> None:
        """Replace a file atomically, by a rename."""
        try:
            with self._parent_of(path) as (parent, name):
                temporary = f".{name}.new"
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=parent)  # an earlier collector's, or a trap
                descriptor = os.open(temporary, _NEW, _MODE, dir_fd=parent)
                try:
                    os.fchmod(descriptor, _MODE)  # whatever the umask
                    left = memoryview(data)
                    while left:
                        left = left[os.write(descriptor, left) :]
                finally:
                    os.close(descriptor)
                os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except OSError as error:
            raise self._fault(error, path, "write") from error

    def _volume_of(self, path: str) -> SharedVolume | None:
        return next((volume for volume in self._shared if volume.has(path)), None)

    def _open(self, path: str, flags: int) -> int:
        volume = self._volume_of(path)
        return os.open(path, flags | os.O_CLOEXEC) if volume is None else volume.open(path, flags)

    @contextlib.contextmanager
    def _parent_of(self, path: str) -> Iterator[tuple[int, str]]:
        parent = self._open(dirname(path) or ".", DIRECTORY)
        try:
            yield parent, basename(path)
        finally:
            os.close(parent)

    def _check_missing(self, error: OSError, path: str, what: str) -> None:
        """Return if the file is only missing; raise otherwise."""
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.EISDIR):
            raise self._fault(error, path, what) from error

    def _fault(self, error: OSError, path: str, what: str) -> SetupError | Unavailable:
        volume = self._volume_of(path)
        if volume is not None and error.errno in LEAVES:
            return LeavesVolume(f"cannot {what} {path}: {volume.rule}")
        return _fault(error, path, what)


def _stat(result: os.stat_result) -> FileStat:
    return FileStat(inode=result.st_ino, size=result.st_size, mtime=result.st_mtime_ns // 1000)


def _fault(error: OSError, path: str, what: str) -> SetupError | Unavailable:
    why = os.strerror(error.errno or 0)
    if error.errno in _FULL:
        return Unavailable(f"cannot {what} {path} now: {why}")
    if error.errno == errno.ENOENT:
        return SetupError(f"cannot {what} {path}: {why}. Its directory was removed")
    owner = ""
    with contextlib.suppress(OSError):
        result = os.stat(path, follow_symlinks=False)
        owner = f"; it belongs to user {result.st_uid}, mode {stat.S_IMODE(result.st_mode):04o}"
    return SetupError(
        f"cannot {what} {path} as user {os.geteuid()}: {why}{owner}. Let the training and the "
        "collector run as one user (annotation trialwatch.dev/run-as-user), or make the file "
        "readable for all users"
    )
