"""Opens files below a directory whose contents another user controls.

No path leaves the directory: not by `..`, not by a symbolic link, not by a mount below it. The
kernel's `openat2` does this in one call (Linux 5.6). Where it is missing, or where a container
runtime forbids it, each part of the path is opened by itself with O_NOFOLLOW, and links are read
here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from functools import cache
from typing import Protocol

DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
"""The flags for a directory in which other files are opened."""
LEAVES = (errno.ELOOP, errno.EXDEV)
"""The errors for a link that may not be followed, and for a path that leaves the directory."""

_SYS_OPENAT2 = 437
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_ABSENT = (errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.E2BIG)
_TRIES = 32
"""Calls while another process renames directories: until then the kernel answers EAGAIN."""
_MOST_LINKS = 40
"""The kernel's own limit."""


class OpenBeneath(Protocol):
    """Opens an existing file by its path below a directory."""

    def __call__(self, directory: int, path: str, flags: int, *, links: bool) -> int:
        """Return a descriptor; `links`: whether to follow links that stay below the directory.

        Raises:
            OSError: its `errno` is one of `LEAVES` if the path leaves the directory.
        """


@cache
def open_beneath() -> OpenBeneath:
    """Return the kernel's way to open a file below a directory; without it, our own."""
    root = os.open("/", DIRECTORY)
    try:
        os.close(by_kernel(root, ".", DIRECTORY, links=False))
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
        return by_parts
    finally:
        os.close(root)
    return by_kernel


def by_kernel(directory: int, path: str, flags: int, *, links: bool) -> int:
    """Open a file with `openat2`; see `OpenBeneath`."""
    resolve = _BENEATH | _NO_XDEV | _NO_MAGICLINKS | (0 if links else _NO_SYMLINKS)
    how = _How(flags=flags | os.O_CLOEXEC, mode=0, resolve=resolve)
    cause = errno.EAGAIN
    for _ in range(_TRIES):
        opened = _syscall()(_SYS_OPENAT2, directory, os.fsencode(path), how, ctypes.sizeof(how))
        if opened >= 0:
            return int(opened)
        cause = ctypes.get_errno()
        if cause not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(cause, os.strerror(cause), path)


def by_parts(directory: int, path: str, flags: int, *, links: bool) -> int:
    """Open a file part by part; `..` goes back to the directory that the walk came from."""
    walk = [os.dup(directory)]
    left = _parts(path)
    followed = 0
    try:
        while True:
            part = left.pop(0) if left else "."
            if part == "..":
                if len(walk) == 1:
                    raise _leaves(errno.EXDEV, path)
                os.close(walk.pop())
                continue
            target = _link(walk[-1], part)
            if target is None:
                opened = _open_part(walk[-1], part, DIRECTORY if left else flags)
                if not left:
                    return opened
                walk.append(opened)
                continue
            followed += 1
            if not links or followed > _MOST_LINKS:
                raise _leaves(errno.ELOOP, path)
            if target.startswith("/"):
                raise _leaves(errno.EXDEV, path)
            left = _parts(target) + left
    finally:
        for each in walk:
            os.close(each)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _link(directory: int, name: str) -> str | None:
    """Return where a link leads; None for anything else, and for a missing file."""
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return None  # `_open_part` reports it


def _open_part(directory: int, name: str, flags: int) -> int:
    opened = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    found = os.fstat(opened)  # on an overlay, a file may have another device than its directory
    if stat.S_ISDIR(found.st_mode) and found.st_dev != os.fstat(directory).st_dev:
        os.close(opened)
        raise _leaves(errno.EXDEV, name)
    return opened


def _leaves(cause: int, path: str) -> OSError:
    return OSError(cause, os.strerror(cause), path)


class _How(ctypes.Structure):
    """The kernel's `struct open_how`."""

    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


@cache
def _syscall() -> ctypes._NamedFuncPointer:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    pointer = ctypes.POINTER(_How)
    call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, pointer, ctypes.c_size_t)
    return call
