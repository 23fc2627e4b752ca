"""Which files in a directory may be a log's earlier or later generations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from posixpath import basename, dirname, join, splitext

from collector.places import ANCHOR_BYTES, Anchor, Passed, Place
from collector.ports import FileStat, FileSystem, OpenFile

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".tmp", ".swp", ".part")
_MARK = r"(?:old|bak|prev|[\w.:-]*\d[\w.:-]*)"
"""What a rotation puts into a name: a number, a date, or one of these words."""
_COMPARED = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that may hold a generation."""

    path: str
    stat: FileStat


def rotated(files: FileSystem, path: str) -> Iterator[Candidate]:
    """Give the files whose names say that they were once this one, the last written one last.

    For `mnist.log` these are `mnist.log.1`, `mnist.log-20260131`, `mnist.log.old` and
    `mnist.2026-01-31.log`; what is compressed is none.
    """
    directory, name = dirname(path) or ".", basename(path)
    stem, suffix = splitext(name)
    pattern = re.compile(
        rf"{re.escape(name)}[._-]{_MARK}|{re.escape(stem)}[._-]{_MARK}{re.escape(suffix)}"
    )
    found = []
    for other in files.names(directory):
        if other == name or other.endswith(_COMPRESSED) or not pattern.fullmatch(other):
            continue
        stat = files.stat(join(directory, other))
        if stat is not None:
            found.append(Candidate(path=join(directory, other), stat=stat))
    yield from sorted(found, key=lambda each: (each.stat.mtime, each.path))


def passed(files: FileSystem, candidates: Iterable[Candidate]) -> tuple[Passed, ...]:
    """Note files, to know them again."""
    noted = []
    for each in candidates:
        file = files.open(each.path)
        if file is not None:
            noted.append(Passed(inode=file.stat().inode, head=head_of(file)))
            file.close()
    return tuple(noted)


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
    if not place.head.length:  # nothing has been read of it, so there are no bytes to know it by
        return stat.inode == place.generation.inode
    tail = place.tail
    return place.head.fits(file.read_at(0, place.head.length)) and tail.fits(
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
