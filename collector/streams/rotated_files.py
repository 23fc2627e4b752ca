"""The files in a directory that may be earlier or later generations of a log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from posixpath import basename, dirname, join, splitext
from typing import Self, TypeVar

from collector.streams.files import FileStat, FileSystem, LeavesVolume, OpenFile
from collector.streams.stream_position import (
    FINGERPRINT_BYTES,
    Fingerprint,
    SeenFile,
    StreamPosition,
)

T = TypeVar("T")

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tmp", ".swp", ".part")
_MARK = r"(?:old|bak|prev|[\w.:-]*\d[\w.:-]*)"
"""The part that a rotation adds to a name: a number, a date, or one of these words."""
_COMPARED = 1 << 16
_TRIES = 20


class Snapshot:
    """All files of a log at one moment, open. On exit all are closed, except the one to keep."""

    def __init__(
        self, at_path: OpenFile | None, rotated: list[OpenFile], removed: list[OpenFile]
    ) -> None:
        """Take the file at the path, the rotated files, and those that have no name any more."""
        self.at_path = at_path
        self.rotated = sorted([*removed, *rotated], key=lambda file: file.stat().mtime)
        """Ordered by the time of their last write, the newest last."""
        self.named = {file.stat().inode for file in (at_path, *rotated) if file is not None}
        """The inodes of the files that have a name."""
        self._kept: OpenFile | None = None

    @property
    def all(self) -> Iterator[OpenFile]:
        """Yield the file at the path, then the others."""
        if self.at_path is not None:
            yield self.at_path
        yield from self.rotated

    @property
    def in_order(self) -> Iterator[OpenFile]:
        """Yield the rotated files, then the one at the path."""
        yield from self.rotated
        if self.at_path is not None:
            yield self.at_path

    def keep(self, file: OpenFile) -> OpenFile:
        """Leave this file open on exit; return it."""
        self._kept = file
        return file

    def close(self) -> None:
        """Close all other files."""
        for file in self.all:
            if file is not self._kept:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def snapshot(files: FileSystem, path: str, held: Sequence[OpenFile] = ()) -> Snapshot:
    """Open a log's generations. If files are renamed meanwhile, look again.

    `held` are files of the log that are open: those that have no name any more belong to it too.

    Rotated files are recognized by their names: for `mnist.log` these are `mnist.log.1`,
    `mnist.log-20260131`, `mnist.log.old` and `mnist.2026-01-31.log`. Compressed files do not count.
    """
    directory, name = dirname(path) or ".", basename(path)
    stem, suffix = splitext(name)
    pattern = re.compile(
        rf"{re.escape(name)}[._-]{_MARK}|{re.escape(stem)}[._-]{_MARK}{re.escape(suffix)}"
    )

    def found() -> list[str]:
        names = (each for each in files.names(directory) if not each.endswith(_COMPRESSED))
        return [join(directory, each) for each in names if pattern.fullmatch(each)]

    opened: dict[str, OpenFile | None] = {}
    for _ in range(_TRIES):
        for file in opened.values():
            if file is not None:
                file.close()
        opened = {path: files.open(path), **{each: _rotated(files.open, each) for each in found()}}
        still = {path: files.stat(path), **{each: _rotated(files.stat, each) for each in found()}}
        if all(_same(opened.get(each), stat) for each, stat in still.items()):
            break
    at_path = opened.pop(path)
    rotated = [file for file in opened.values() if file is not None]
    named = {file.stat().inode for file in (at_path, *rotated) if file is not None}
    removed = [file.duplicate() for file in held if file.stat().inode not in named]
    return Snapshot(at_path, rotated, removed)


def _rotated(look: Callable[[str], T | None], path: str) -> T | None:
    """Look at a rotated file; a link that leads out of the volume is none."""
    try:
        return look(path)
    except LeavesVolume:
        return None


def seen_files(others: Iterable[OpenFile]) -> tuple[SeenFile, ...]:
    """Return what is needed to recognize these files later."""
    return tuple(SeenFile(inode=file.stat().inode, head=head_of(file)) for file in others)


def _same(file: OpenFile | None, stat: FileStat | None) -> bool:
    if file is None or stat is None:
        return file is None and stat is None
    return file.stat().inode == stat.inode


def head_of(file: OpenFile, length: int = FINGERPRINT_BYTES) -> Fingerprint:
    """Return the fingerprint of a file's first bytes."""
    return Fingerprint.of(file.read_at(0, length))


def is_seen(file: OpenFile, others: tuple[SeenFile, ...]) -> bool:
    """Return whether a file is one of those seen before."""
    inode = file.stat().inode
    return any(
        other.inode == inode and other.head.fits(file.read_at(0, other.head.length))
        for other in others
    )


def fits(file: OpenFile, position: StreamPosition) -> bool:
    """Return whether a position is in this file: the bytes before it are those that were read."""
    stat = file.stat()
    if stat.size < position.offset:
        return False
    head, tail = position.head, position.tail
    if not (head.length or tail.length):  # no bytes were read yet
        return stat.inode == position.generation.inode
    return head.fits(file.read_at(0, head.length)) and tail.fits(
        file.read_at(position.offset - tail.length, tail.length)
    )


def is_copy(file: OpenFile, original: OpenFile) -> bool:
    """Return whether a file is a copy of another file, or of its earlier, shorter state."""
    size = file.stat().size
    if not size or size > original.stat().size:
        return False
    offset = 0
    while offset < size:
        piece = file.read_at(offset, min(_COMPARED, size - offset))
        if not piece or piece != original.read_at(offset, len(piece)):
            return False
        offset += len(piece)
    return True
