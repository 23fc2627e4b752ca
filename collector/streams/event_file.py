"""A stream that is one event file: it only grows, until another file takes its path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from api.run_directory import AttemptRecord
from collector.streams.attempt_boundary import micros
from collector.streams.files import FileSystem, OpenFile
from collector.streams.rotated_files import fits
from collector.streams.stream import PIECE, Chunk
from collector.streams.stream_position import Gap, StreamPosition
from filters.event_files.first_event import ENOUGH_BYTES, first_time

TICK = 10_000
"""Microseconds by which two clocks of one machine may differ."""
_CHANGED = "it was cut or written over before it was read to its end"
_DELETED = "it was deleted before it was read to its end"


class EventFile:
    """The event file at a path. It stays open, so it is read to its end if it is deleted."""

    def __init__(self, path: str, files: FileSystem) -> None:
        """Follow a path."""
        self._path = path
        self._files = files
        self._open: OpenFile | None = None

    @property
    def name(self) -> str:
        """Return the path."""
        return self._path

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
        replaced = self._is_replaced(file)  # before the read: what it had until then is read
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
            file = self._files.open(self._path)
            if file is not None and not _may_continue(file, position):
                file.close()
                return None
            self._open = file
        return self._open

    def _is_replaced(self, file: OpenFile) -> bool:
        """Return whether another file has the path now."""
        stat = self._files.stat(self._path)
        return stat is not None and stat.inode != file.stat().inode

    def _begin_next(self, position: StreamPosition, *, over: bool) -> Chunk:
        """Continue with the file that has taken the path."""
        self.close()
        file = self._open = self._files.open(self._path)
        if file is not None:
            return Chunk(start=position.next_generation(file.stat().inode))
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
            return Chunk(start=position.next_generation(None), gap=lost)
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
        return Chunk(start=position.next_generation(file.stat().inode), gap=gap)


def _may_continue(file: OpenFile, position: StreamPosition) -> bool:
    """Return whether a position is in this file, or was before the file was written over."""
    inode = position.generation.inode
    return inode in (None, file.stat().inode) or fits(file, position)


def _began_after(file: OpenFile, later: AttemptRecord) -> bool:
    """Return whether the first event of a file is of a later attempt."""
    time = first_time(file.read_at(0, ENOUGH_BYTES))
    return isinstance(time, float) and time * 1e6 >= micros(later.started) - TICK


def _seen(position: StreamPosition, file: OpenFile) -> StreamPosition:
    """Return the position with the file's inode."""
    return replace(position, generation=replace(position.generation, inode=file.stat().inode))
