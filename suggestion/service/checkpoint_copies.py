"""Copies of directories with checkpoints, which a killed search continues where it stopped.

A file with the size and time of its original is complete: its time is set last. A shorter one is
continued. Symbolic links are copied as links, and never followed. Pipes, sockets and devices are
left out: to open one might take forever.

No function here calls itself: a trainer may nest directories deeper than Python may nest calls.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Final

_KINDS: Final = (stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK)
_FOR_ALL: Final = 0o777
_TO_READ_AND_WRITE: Final = 0o666
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_Entries = dict[str, os.DirEntry[str]]


def is_like(copy: Path, source: Path | None) -> bool:
    """Return whether a directory is a complete copy of another; None stands for an empty one.

    Raises:
        OSError: one of them cannot be read.
    """
    folders = [(source, copy)]
    while folders:
        origin, folder = folders.pop()
        wanted, existing = _entries(origin), _entries(folder)
        if wanted.keys() != existing.keys():
            return False
        for name, entry in wanted.items():
            if not _is_same(entry, existing[name]):
                return False
            if entry.is_dir(follow_symlinks=False):
                folders.append((Path(entry.path), folder / name))
    return True


def copy_tree(source: Path | None, copy: Path, *, shared: bool) -> None:
    """Make a copy of a directory, or an empty directory; go on with a copy that is incomplete.

    Args:
        source: the directory; None: an empty one.
        copy: is created in an existing directory, or has a part of the source.
        shared: whether all users may write to the copy.

    Raises:
        OSError: a file cannot be read or written.
    """
    folders = [(source, copy)]
    while folders:
        origin, folder = folders.pop()
        folder.mkdir(exist_ok=True)
        if shared:
            folder.chmod(_FOR_ALL)
        wanted, existing = _entries(origin), _entries(folder)
        for name in existing.keys() - wanted.keys():
            remove(folder / name)
        for name, entry in wanted.items():
            known = existing.get(name)
            if known is not None and not _may_go_on(entry, known):
                remove(folder / name)
                known = None
            if entry.is_dir(follow_symlinks=False):
                folders.append((Path(entry.path), folder / name))
            elif known is None or not _is_same(entry, known):
                _copy(entry, folder / name, shared=shared)


def remove(path: Path) -> None:
    """Delete a file, or a directory with all that is in it.

    Raises:
        OSError: it cannot be deleted.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        return
    folders = [path]
    for folder in folders:  # grows on the way
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                else:
                    Path(entry.path).unlink()
    for folder in reversed(folders):
        folder.rmdir()


def _entries(folder: Path | None) -> _Entries:
    """Return the directories, files and links in a directory, by name."""
    if folder is None:
        return {}
    with os.scandir(folder) as entries:
        return {entry.name: entry for entry in entries if _kind(entry) in _KINDS}


def _kind(entry: os.DirEntry[str]) -> int:
    return stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)


def _is_same(one: os.DirEntry[str], other: os.DirEntry[str]) -> bool:
    """Return whether two entries are directories, equal links, or a file and its complete copy."""
    if _kind(one) != _kind(other):
        return False
    if one.is_symlink():
        return Path(one.path).readlink() == Path(other.path).readlink()
    if one.is_dir():
        return True
    known, copied = one.stat(), other.stat()
    return (known.st_size, known.st_mtime_ns) == (copied.st_size, copied.st_mtime_ns)


def _may_go_on(entry: os.DirEntry[str], copy: os.DirEntry[str]) -> bool:
    """Return whether a copy of an entry is complete, or is a part of it."""
    if _is_same(entry, copy):
        return True
    if _kind(entry) != _kind(copy) or entry.is_symlink():
        return False
    return copy.stat().st_size <= entry.stat().st_size


def _copy(entry: os.DirEntry[str], target: Path, *, shared: bool) -> None:
    source = Path(entry.path)
    if entry.is_symlink():
        target.symlink_to(source.readlink())
        return
    known = entry.stat()
    descriptor = os.open(target, _APPEND, _TO_READ_AND_WRITE)
    with os.fdopen(descriptor, "ab") as written, source.open("rb") as read:
        read.seek(written.tell())
        shutil.copyfileobj(read, written)
    mode = stat.S_IMODE(known.st_mode) & _FOR_ALL
    target.chmod(mode | _TO_READ_AND_WRITE if shared else mode)
    os.utime(target, ns=(known.st_atime_ns, known.st_mtime_ns))
