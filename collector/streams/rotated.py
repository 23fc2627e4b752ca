"""Which files in a directory may be a log's earlier or later generations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from posixpath import basename, dirname, join, splitext
from typing import Self

from collector.streams.files import FileStat, FileSystem, OpenFile
from collector.streams.stream_position import ANCHOR_BYTES, Anchor, Passed, Place

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tmp", ".swp", ".part")
_MARK = r"(?:old|bak|prev|[\w.:-]*\d[\w.:-]*)"
"""What a rotation puts into a name: a number, a date, or one of these words."""
_COMPARED = 1 << 16
_TRIES = 20


class Snapshot:
    """All files of a log as they were at one moment, open; closed on exit but for what is kept."""

    def __init__(self, at_path: OpenFile | None, rotated: list[OpenFile]) -> None:
        """Take the file at the path itself, and those that were there once."""
        self.at_path = at_path
        self.rotated = sorted(rotated, key=lambda file: file.stat().mtime)
        """The last written one last."""
        self._kept: OpenFile | None = None

    @property
    def all(self) -> Iterator[OpenFile]:
        """Give the file at the path, then the others."""
        if self.at_path is not None:
            yield self.at_path
        yield from self.rotated

    def keep(self, file: OpenFile) -> OpenFile:
        """Leave one of them open."""
        self._kept = file
        return file

    def close(self) -> None:
        """Close the others."""
        for file in self.all:
            if file is not self._kept:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def snapshot(files: FileSystem, path: str) -> Snapshot:
    """Open a log's generations; looked at again while they are being renamed.

    The rotated files are those whose names say that they were once this one: for `mnist.log` these
    are `mnist.log.1`, `mnist.log-20260131`, `mnist.log.old` and `mnist.2026-01-31.log`; what is
    compressed is none.
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
        opened = {each: files.open(each) for each in (path, *found())}
        still = {each: files.stat(each) for each in (path, *found())}
        if all(_same(opened.get(each), stat) for each, stat in still.items()):
            break
    at_path = opened.pop(path)
    return Snapshot(at_path, [file for file in opened.values() if file is not None])


def passed(others: Iterable[OpenFile]) -> tuple[Passed, ...]:
    """Note files, to know them again."""
    return tuple(Passed(inode=file.stat().inode, head=head_of(file)) for file in others)


def _same(file: OpenFile | None, stat: FileStat | None) -> bool:
    if file is None or stat is None:
        return file is None and stat is None
    return file.stat().inode == stat.inode


def head_of(file: OpenFile, length: int = ANCHOR_BYTES) -> Anchor:
    """Return the anchor of a file's first bytes."""
    return Anchor.of(file.read_at(0, length))


def is_passed(file: OpenFile, others: tuple[Passed, ...]) -> bool:
    """Say whether a file is one of those noted."""
    inode = file.stat().inode
    return any(
        other.inode == inode and other.head.fits(file.read_at(0, other.head.length))
        for other in others
    )


def fits(file: OpenFile, place: Place) -> bool:
    """Say whether a place is in this file: what stands before it is what was read there."""
    stat = file.stat()
    if stat.size < place.offset:
        return False
    head, tail = place.head, place.tail
    if not (head.length or tail.length):  # there are no bytes to know it by
        return stat.inode == place.generation.inode
    return head.fits(file.read_at(0, head.length)) and tail.fits(
        file.read_at(place.offset - tail.length, tail.length)
    )


def is_copy(file: OpenFile, original: OpenFile) -> bool:
    """Say whether a file is an earlier state of another: somebody saved it."""
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
