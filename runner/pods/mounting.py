"""Mount directories of this machine at other paths, for one process and its children only.

For root, a separate mount namespace is enough. For other users, the kernel grants the right to
mount in a user namespace, in which the user id stays the same; set-user-id programs such as sudo do
not work there.

A missing path cannot be a mount point, and must not be created: `/katib` would stay on the machine.
So the nearest existing directory is covered by a small tmpfs. Its old content is mounted again in
the tmpfs, beside the new paths.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
from collections.abc import Iterable, Iterator
from posixpath import dirname

from runner.pods.bind_mounts import BindMount

_libc = ctypes.CDLL(None, use_errno=True)

_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18
_LOCKED = 2 | 4 | 8 | 1024 | 2048
"""nosuid, nodev, noexec, noatime, nodiratime, as statvfs returns them; a remount must keep them."""
_RELATIME_OF_STATVFS, _RELATIME = 4096, 1 << 21
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def mount_all(binds: Iterable[BindMount], staging: str) -> None:
    """Give this process its own mounts, outer ones first; it must have only one thread.

    Args:
        binds: the directories and their new paths.
        staging: an empty directory for building a new root.

    Raises:
        OSError: the kernel does not allow it, or a source is missing; it has the path.
    """
    _own_namespace()
    _mount("none", "/", flags=_RECURSIVE | _PRIVATE)
    wanted = list(binds)
    missing = [bind for bind in wanted if not os.path.lexists(bind.target)]
    for place in sorted({_nearest(bind.target) for bind in missing}, key=len):
        if place == "/":
            _mirror("/", staging, _below("/", missing))
            _pivot(staging)
        elif not _is_made(place, missing):
            _mirror(place, place, _below(place, missing))
    for bind in wanted:
        _bind(bind)


def _own_namespace() -> None:
    """Enter a new mount namespace, as root or else with a user namespace."""
    if _libc.unshare(_NEW_MOUNTS) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    _check(_libc.unshare(_NEW_USERS | _NEW_MOUNTS), "a user namespace")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "wb", buffering=0) as file:
            file.write(text.encode())


def _nearest(path: str) -> str:
    """Return the nearest existing directory above a path."""
    above = dirname(path)
    while not os.path.isdir(above):
        above = dirname(above)
    return above


def _below(place: str, missing: Iterable[BindMount]) -> list[BindMount]:
    return [bind for bind in missing if _nearest(bind.target) == place]


def _is_made(place: str, missing: Iterable[BindMount]) -> bool:
    return all(os.path.lexists(bind.target) for bind in _below(place, missing))


def _mirror(place: str, over: str, binds: Iterable[BindMount]) -> None:
    """Cover a directory by a tmpfs, mount the content of `place` in it, and create new targets."""
    before = os.open(place, os.O_PATH | os.O_DIRECTORY)
    try:
        names = os.listdir(place)
        mode = stat.S_IMODE(os.stat(place).st_mode)
        # The new entries have the old names, so the old ones are opened through the descriptor.
        _mount("tmpfs", over, kind="tmpfs", data=f"mode={mode:o}")
        for name in names:
            _mirror_one(f"/proc/self/fd/{before}/{name}", f"{over}/{name}")
    finally:
        os.close(before)
    for bind in binds:
        _make_target(bind, f"{over.rstrip('/')}/{bind.target[len(place) :].lstrip('/')}")


def _mirror_one(source: str, target: str) -> None:
    found = os.lstat(source)
    if stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(source), target)
        return
    if stat.S_ISDIR(found.st_mode):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC))
    with contextlib.suppress(FileNotFoundError):  # it was deleted in the meantime
        _mount(source, target, flags=_BIND | _RECURSIVE)


def _make_target(bind: BindMount, target: str) -> None:
    if os.path.isdir(bind.source):
        os.makedirs(target, exist_ok=True)
        return
    os.makedirs(dirname(target), exist_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC))


def _pivot(new_root: str) -> None:
    """Make a directory the root and leave the old one, as in the example of pivot_root(2)."""
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(38, f"no pivot_root known on {os.uname().machine}")
    os.chdir(new_root)
    _check(_libc.syscall(number, b".", b"."), new_root)
    _check(_libc.umount2(b".", _DETACH), "the old root")
    os.chdir("/")


def _bind(bind: BindMount) -> None:
    _mount(bind.source, bind.target, flags=_BIND | _RECURSIVE)
    if bind.read_only:
        found = os.statvfs(bind.target).f_flag
        kept = found & _LOCKED | (_RELATIME if found & _RELATIME_OF_STATVFS else 0)
        _mount("none", bind.target, flags=_BIND | _REMOUNT | _READ_ONLY | kept)


def _mount(source: str, target: str, *, flags: int = 0, kind: str = "", data: str = "") -> None:
    failed = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(failed, f"{source} at {target}")


def _check(failed: int, what: str) -> None:
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def probe(folder: str) -> str | None:
    """Return why directories cannot be mounted here, or None; a child process tries it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, _fault(folder).encode())
        finally:
            os._exit(0)
    os.close(writing)
    answer = b"".join(_all(reading)).decode()
    os.close(reading)
    os.waitpid(pid, 0)
    return answer if answer != _FINE else None


_FINE = "fine"


def _fault(folder: str) -> str:
    target = "/trialwatch-probe/place"
    try:
        mount_all([BindMount(source=folder, target=target)], folder)
        os.listdir(target)
    except OSError as error:
        return f"{error.strerror} ({error.filename or 'mount'})"
    return _FINE


def _all(descriptor: int) -> Iterator[bytes]:
    while part := os.read(descriptor, 4096):
        yield part
