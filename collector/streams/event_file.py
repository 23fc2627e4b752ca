"""A stream that is one event file: it only grows, until another file takes its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from api.run_directory import AttemptRecord
from collector.streams.attempt_boundary import micros
from collector.streams.files import FileSystem, OpenFile
from collector.streams.rotated_files import fits, is_seen
from collector.streams.stream import PIECE, Chunk, Stream
from collector.streams.stream_position import (
    FINGERPRINT_BYTES,
    Gap,
    SeenFile,
    StreamPosition,
)
from filters.event_files.first_event import ENOUGH_BYTES, first_time

TICK = 10_000
"""Microseconds by which two clocks of one machine may differ."""
_MOST_SEEN = 100
"""Earlier files of a path that are remembered: each has its place in the checkpoint."""
_CHANGED = "it was cut or written over before it was read to its end"
_DELETED = "it was deleted before it was read to its end"


class EventFile:
    """The event file at a path. It stays open, so it is read to its end if it is deleted."""

    def __init__(self, path: str, files: FileSystem, file: OpenFile | None = None) -> None:
        """Follow a path; `file` is the open file there, if it is known."""
        self._path = path
        self._files = files
        self._open = file
        self._position = StreamPosition()
        self._beside: Mapping[str, Stream] = {}
        self._since = 0

    @property
    def name(self) -> str:
        """Return the path."""
        return self._path

    @property
    def inode(self) -> int | None:
        """The inode of the open file; None if none is open."""
        return None if self._open is None else self._open.stat().inode

    @property
    def is_missing(self) -> bool:
        """Whether no file is known that has the bytes from the position on."""
        position = self._position
        return not (self._open or position.generation.inode is None or position.finished)

    def join(self, streams: Mapping[str, Stream], position: StreamPosition, since: int = 0) -> None:
        """Leave the files of these streams to them, and all that began before a time.

        `position`: how far this one is read. `since`: in microseconds since 1970.
        """
        self._beside, self._position, self._since = streams, position, since

    def is_read_from(self, file: OpenFile) -> bool:
        """Return whether this stream reads a file, or has read it, under whatever name.

        If a crash has interrupted the reading of it, this stream continues with it.
        """
        position = self._position
        if is_seen(file, position.generation.others):
            return True
        if self._open is not None and _is_same(file, self._open):
            return True
        if not _is_at(file, position) or (self._open is not None and not position.head.length):
            return False  # without a byte to compare, an inode of another volume may be equal
        if self._open is None:
            self._open = file.duplicate()
        return True

    def read(
        self,
        position: StreamPosition,
        count: int,
        *,
        over: bool,
        later: AttemptRecord | None = None,
    ) -> Chunk:
        """Return the next bytes. A file ends this attempt's part where a later one has begun it."""
        if position.sealed:
            return self._begin_next(position, over=over)
        file = self._file(position)
        if file is None:
            return self._end_of_missing(position, over=over)
        if later is not None and not position.offset and _began_after(file, later):
            return Chunk(start=replace(position, finished=True), final=True, last=True)
        # Before the read: what the file had until then is read.
        replaced = self._is_replaced(file, position)
        data = file.read_at(position.offset, count)
        tail = position.tail
        before = file.read_at(position.offset - tail.length, tail.length)
        if not tail.fits(before) or file.stat().size < position.offset:
            return self._begin_again(position, file)
        ended = len(data) < count and (over or replaced)
        return Chunk(
            start=_seen(position, file),
            data=data,
            before=before,
            final=ended,
            last=ended and not replaced,
        )

    def again(self, start: StreamPosition, end: StreamPosition) -> Iterator[bytes]:
        """Yield the bytes between two positions; nothing if they are destroyed."""
        file = self._file(end)
        if file is None or not fits(file, end):
            return
        for offset in range(start.offset, end.offset, PIECE):
            yield file.read_at(offset, min(PIECE, end.offset - offset))

    def peek(self, position: StreamPosition, offset: int, count: int) -> bytes:
        """Return nothing: an event file is not a text."""
        del position, offset, count
        return b""

    def hold(self, position: StreamPosition) -> None:
        """Open the file, so that it stays readable."""
        self._position = position
        if not (position.finished or position.sealed):
            self._file(position)

    def release(self, offset: int, *, all_of_it: bool = False) -> None:
        """Do nothing: the file belongs to the user."""

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _file(self, position: StreamPosition) -> OpenFile | None:
        """Return the file of a position: the open one, or that at the path if it fits."""
        if self._open is None:
            file = self._at_path(position)
            if file is not None and not _may_continue(file, position):
                file.close()
                return None
            self._open = file
        return self._open

    def _at_path(self, position: StreamPosition) -> OpenFile | None:
        """Open the file at the path; None if it is read already, or an earlier training's."""
        file = self._files.open(self._path)
        if file is None:
            return None
        others = (each for each in self._beside.values() if isinstance(each, EventFile))
        if (
            is_seen(file, position.generation.others)
            or _began_before(file, self._since)
            or any(other.is_read_from(file) for other in others if other is not self)
        ):
            file.close()
            return None
        return file

    def _is_replaced(self, file: OpenFile, position: StreamPosition) -> bool:
        """Return whether another file, which is not read yet, has the path now."""
        stat = self._files.stat(self._path)
        if stat is None or stat.inode == file.stat().inode:
            return False
        other = self._at_path(position)
        if other is None:
            return False
        other.close()
        return True

    def _begin_next(self, position: StreamPosition, *, over: bool) -> Chunk:
        """Continue with the file that has taken the path."""
        self.close()
        file = self._open = self._at_path(position)
        if file is not None:
            if _is_at(file, position):  # it has its name again
                return Chunk(start=replace(position, sealed=False))
            return Chunk(start=_behind(position, file.stat().inode))
        if over:
            return Chunk(start=replace(position, finished=True), final=True, last=True)
        return Chunk(start=position)

    def _end_of_missing(self, position: StreamPosition, *, over: bool) -> Chunk:
        """Leave a file that no longer has the path; wait for one that has not appeared again."""
        if position.generation.inode is not None:
            lost = Gap(
                stream=self._path,
                generation=position.generation.serial,
                start=position.offset,
                end=None,
                why=_DELETED,
            )
            return Chunk(start=_behind(position, None), gap=lost)
        finished = replace(position, finished=True)
        return Chunk(start=finished, final=True, last=True) if over else Chunk(start=position)

    def _begin_again(self, position: StreamPosition, file: OpenFile) -> Chunk:
        """Read a file that was written over from its start."""
        gap = Gap(
            stream=self._path,
            generation=position.generation.serial,
            start=position.offset,
            end=None,
            why=_CHANGED,
        )
        others = position.generation.others
        return Chunk(start=position.next_generation(file.stat().inode, others), gap=gap)


def _may_continue(file: OpenFile, position: StreamPosition) -> bool:
    """Return whether a position is in this file, or was before the file was written over."""
    inode = position.generation.inode
    return inode in (None, file.stat().inode) or fits(file, position)


def _is_at(file: OpenFile, position: StreamPosition) -> bool:
    """Return whether a position is in this file, and the file has kept its inode."""
    return position.generation.inode == file.stat().inode and fits(file, position)


def _is_same(file: OpenFile, other: OpenFile) -> bool:
    """Return whether two open files are one; inodes of two file systems may be equal."""
    if file.stat().inode != other.stat().inode:
        return False
    head, others = (each.read_at(0, FINGERPRINT_BYTES) for each in (file, other))
    common = min(len(head), len(others))  # the file may have grown in between
    return head[:common] == others[:common]


def _behind(position: StreamPosition, inode: int | None) -> StreamPosition:
    """Return the start of the next file of a path; the file before it is not read again."""
    before = position.generation
    others = before.others
    if before.inode is not None and position.head.length:
        others = (*others, SeenFile(inode=before.inode, head=position.head))[-_MOST_SEEN:]
    return position.next_generation(inode, others)


def _began_before(file: OpenFile, since: int) -> bool:
    """Return whether the first event of a file was before a time, in microseconds since 1970."""
    time = first_time(file.read_at(0, ENOUGH_BYTES))
    return isinstance(time, float) and time * 1e6 < since


def _began_after(file: OpenFile, later: AttemptRecord) -> bool:
    """Return whether the first event of a file is of a later attempt."""
    time = first_time(file.read_at(0, ENOUGH_BYTES))
    return isinstance(time, float) and time * 1e6 >= micros(later.started) - TICK


def _seen(position: StreamPosition, file: OpenFile) -> StreamPosition:
    """Return the position with the file's inode."""
    return replace(position, generation=replace(position.generation, inode=file.stat().inode))
