"""A stream that is the file at a path, through rotation, truncation and restarts of the trainer.

| what happens to the file         | how reading continues                                        |
|----------------------------------|--------------------------------------------------------------|
| renamed, and made again          | the open file to its end, then the new one                   |
| renamed several times meanwhile  | the rotated files in between, oldest first                   |
| copied, then emptied             | the rest from the copy, then the file from its start         |
| emptied, cut, or written over    | with a gap, from its start or from its new end               |
| deleted, and made again          | the open file to its end, then the new one                   |
| the trainer starts again         | the bytes from before belong to the earlier attempt          |

`file_states` has the questions and states of a look at the file. The order of the calls matters:
the search for a successor comes before the read. So bytes that were written before the rotation are
read before the file is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from api.run_directory import AttemptRecord
from collector.streams.attempt_boundary import AttemptBoundary, micros
from collector.streams.file_look import FileLook, seen_in
from collector.streams.file_states import FileState, ReadEnd, read_end, state_of
from collector.streams.files import FileSystem
from collector.streams.generations import Generations
from collector.streams.held_files import HeldFiles
from collector.streams.rotated_files import fits
from collector.streams.stream import PIECE, Chunk
from collector.streams.stream_position import Gap, StreamPosition

_EMPTIED = "it was cut or written over before it was read to its end"
_CUT = "it was cut before it was read to its end"
_DELETED = "it was deleted before it was read to its end"
_ROTATED = "files that were rotated after it were removed before they could be opened"
_TICK = 10_000
"""Microseconds by which a file system's clock may be behind."""


class FollowedFile:
    """The file at a path, within one attempt."""

    def __init__(
        self, path: str, files: FileSystem, held: HeldFiles, record: AttemptRecord
    ) -> None:
        """Follow a path from the beginning of an attempt; `held` outlives the attempt."""
        self._path = path
        self._generations = Generations(path, files, held, micros(record.started) - _TICK)

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
        """Return the next bytes, or the start of the next generation at the end of this one."""
        boundary = AttemptBoundary.of(later)
        look = FileLook(self._generations, boundary, position, count=count, over=over)
        return self.CONTINUATIONS[state_of(look.answer)](self, look)

    def again(self, start: StreamPosition, end: StreamPosition) -> Iterator[bytes]:
        """Yield the bytes between two positions of a generation; nothing if they are destroyed."""
        file = self._generations.find(end)
        if file is None or not fits(file, end):
            return
        for offset in range(start.offset, end.offset, PIECE):
            yield file.read_at(offset, min(PIECE, end.offset - offset))

    def peek(self, position: StreamPosition, offset: int, count: int) -> bytes:
        """Return bytes as they are now, if the generation is open."""
        file = self._generations.current(position)
        return b"" if file is None else file.read_at(offset, count)

    def hold(self, position: StreamPosition) -> None:
        """Keep the files from a position on readable, even if they are rotated away."""
        if not position.finished:
            self._generations.hold(position)

    def release(self, offset: int, *, all_of_it: bool = False) -> None:
        """Do nothing: the file belongs to the user."""

    def close(self) -> None:
        """Close the open files."""
        self._generations.close()

    # How reading continues in each state

    def _wait(self, look: FileLook) -> Chunk:
        return Chunk(start=look.position)

    def _begin_next(self, look: FileLook) -> Chunk:
        position = look.position
        lost = self._generations.is_after_lost(look.successor)
        gap = self._gap(position, None, _ROTATED) if lost else None
        return Chunk(start=self._generations.begin_next(position, look.successor), gap=gap)

    def _end(self, look: FileLook) -> Chunk:
        finished = replace(look.position, finished=True)
        gap = self._gap_at_unknown_end(look.position, look.boundary)
        return Chunk(start=finished, final=True, last=True, gap=gap)

    def _take(self, look: FileLook) -> Chunk:
        end = read_end(
            read_all=len(look.data) < look.count,
            over=look.over,
            successor=look.has_successor,
            ends_here=look.ends_here,
        )
        unknown = end is ReadEnd.UNKNOWN_END
        return Chunk(
            start=look.seen,
            data=look.data,
            before=look.before,
            final=end is not ReadEnd.MORE,
            last=unknown or end is ReadEnd.STREAM_END,
            gap=self._gap_at_unknown_end(look.seen, look.boundary) if unknown else None,
        )

    def _switch_to_copy(self, look: FileLook) -> Chunk:
        """Continue in the copy, which has the bytes before the position."""
        self._generations.follow(look.copy, look.position)
        return Chunk(start=seen_in(look.position, look.copy))

    def _finish_in_copy(self, look: FileLook) -> Chunk:
        """Continue in the copy that has this attempt's end, from the start of that generation."""
        start = look.position.next_generation(look.copy.stat().inode)
        self._generations.follow(look.copy, start)
        lost = look.position.offset not in (0, look.boundary.size) and not look.position.inherited
        return Chunk(start=start, gap=self._gap_before_boundary(look) if lost else None)

    def _finish_overtaken(self, look: FileLook) -> Chunk:
        """End the stream: the bytes in the file are the next attempt's."""
        position = look.position
        if not fits(look.file, position):
            position = position.next_generation(position.generation.inode)
        self._generations.leave()
        gap = self._gap_before_boundary(look)
        return Chunk(start=replace(position, finished=True), gap=gap, final=True, last=True)

    def _skip_cut_bytes(self, look: FileLook) -> Chunk:
        """Continue at the new end of the file."""
        start = replace(look.position.skipped_to(look.size), head=look.position.head)
        return Chunk(start=start, gap=self._gap(look.position, None, _CUT))

    def _lose_deleted(self, look: FileLook) -> Chunk:
        return self._lose(look, _DELETED)

    def _lose_emptied(self, look: FileLook) -> Chunk:
        return self._lose(look, _EMPTIED)

    def _lose(self, look: FileLook, why: str) -> Chunk:
        """Leave a generation that cannot be read any more.

        If this attempt has read none of it, no byte of this attempt was in it. Copies of its bytes
        do not count as later generations.
        """
        position = look.position
        self._generations.leave()
        copies = self._generations.copies_of_read_bytes(position)
        gap = None if position.inherited else self._gap(position, None, why)
        start = position.next_generation(None, (*position.generation.others, *copies))
        return Chunk(start=start, gap=gap)

    CONTINUATIONS: ClassVar[Mapping[FileState, Callable[[FollowedFile, FileLook], Chunk]]] = {
        FileState.WAITING: _wait,
        FileState.NEXT_EXISTS: _begin_next,
        FileState.ENDED: _end,
        FileState.DELETED: _lose_deleted,
        FileState.READABLE: _take,
        FileState.COPIED: _switch_to_copy,
        FileState.OVERTAKEN_WITH_COPY: _finish_in_copy,
        FileState.OVERTAKEN: _finish_overtaken,
        FileState.CUT: _skip_cut_bytes,
        FileState.EMPTIED: _lose_emptied,
    }

    # What is missing

    def _gap_before_boundary(self, look: FileLook) -> Gap | None:
        """Return the gap up to this attempt's end; None if all bytes up to there were read."""
        end = look.boundary.size
        return self._gap(look.position, end, _EMPTIED) if look.position.offset != end else None

    def _gap_at_unknown_end(
        self, position: StreamPosition, boundary: AttemptBoundary
    ) -> Gap | None:
        """Return the gap for a file in which the attempt ended, and that was not found."""
        return self._gap(position, None, _DELETED) if boundary.size else None

    def _gap(self, position: StreamPosition, end: int | None, why: str) -> Gap:
        serial = position.generation.serial
        return Gap(stream=self._path, generation=serial, start=position.offset, end=end, why=why)
