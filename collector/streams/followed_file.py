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
from collector.streams.file_states import FileState, Question, ReadEnd, read_end, state_of
from collector.streams.files import FileSystem, OpenFile
from collector.streams.generations import Generations
from collector.streams.rotated_files import fits, head_of
from collector.streams.stream import PIECE, Chunk
from collector.streams.stream_position import (
    FINGERPRINT_BYTES,
    Fingerprint,
    Gap,
    StreamPosition,
)

_EMPTIED = "it was cut or written over before it was read to its end"
_CUT = "it was cut before it was read to its end"
_DELETED = "it was deleted before it was read to its end"
_TICK = 10_000
"""Microseconds by which a file system's clock may be behind."""


class FollowedFile:
    """The file at a path, within one attempt."""

    def __init__(self, path: str, files: FileSystem, record: AttemptRecord) -> None:
        """Follow a path from the beginning of an attempt."""
        self._path = path
        self._generations = Generations(path, files, micros(record.started) - _TICK)

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
        look = _Look(self._generations, boundary, position, count=count, over=over)
        return self._CONTINUE[state_of(look.answer)](self, look)

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

    def release(self, offset: int, *, all_of_it: bool = False) -> None:
        """Do nothing: the file belongs to the user."""

    def close(self) -> None:
        """Close the open files."""
        self._generations.close()

    # How reading continues in each state

    def _wait(self, look: _Look) -> Chunk:
        return Chunk(start=look.position)

    def _begin_next(self, look: _Look) -> Chunk:
        return Chunk(start=self._generations.begin_next(look.position, look.successor))

    def _end(self, look: _Look) -> Chunk:
        finished = replace(look.position, finished=True)
        gap = self._gap_at_unknown_end(look.position, look.boundary)
        return Chunk(start=finished, final=True, last=True, gap=gap)

    def _take(self, look: _Look) -> Chunk:
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

    def _switch_to_copy(self, look: _Look) -> Chunk:
        """Continue in the copy, which has the bytes before the position."""
        self._generations.follow(look.copy, look.position)
        return Chunk(start=_seen_in(look.position, look.copy))

    def _finish_in_copy(self, look: _Look) -> Chunk:
        """Continue in the copy that has this attempt's end, from the start of that generation."""
        start = look.position.next_generation(look.copy.stat().inode)
        self._generations.follow(look.copy, start)
        lost = look.position.offset not in (0, look.boundary.size) and not look.position.inherited
        return Chunk(start=start, gap=self._gap_before_boundary(look) if lost else None)

    def _finish_overtaken(self, look: _Look) -> Chunk:
        """End the stream: the bytes in the file are the next attempt's."""
        position = look.position
        if not fits(look.file, position):
            position = position.next_generation(position.generation.inode)
        self._generations.leave()
        gap = self._gap_before_boundary(look)
        return Chunk(start=replace(position, finished=True), gap=gap, final=True, last=True)

    def _skip_cut_bytes(self, look: _Look) -> Chunk:
        """Continue at the new end of the file."""
        start = replace(look.position.skipped_to(look.size), head=look.position.head)
        return Chunk(start=start, gap=self._gap(look.position, None, _CUT))

    def _lose_deleted(self, look: _Look) -> Chunk:
        return self._lose(look, _DELETED)

    def _lose_emptied(self, look: _Look) -> Chunk:
        return self._lose(look, _EMPTIED)

    def _lose(self, look: _Look, why: str) -> Chunk:
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

    _CONTINUE: ClassVar[Mapping[FileState, Callable[[FollowedFile, _Look], Chunk]]] = {
        FileState.WAITING: _wait,
        FileState.SUCCEEDED: _begin_next,
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

    def _gap_before_boundary(self, look: _Look) -> Gap | None:
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


class _Look:
    """One look at the file: answers the questions of `file_states`, and keeps what it finds.

    An answer sets the attributes that the states behind it use.
    """

    has_successor: bool
    """Set by HAS_SUCCESSOR and INTACT."""
    successor: OpenFile
    """Set by the same, if there is one."""
    file: OpenFile
    """The generation's file; set by FILE_FOUND."""
    seen: StreamPosition
    """The position, with the file's age and inode; set by INTACT, as the next three."""
    ends_here: bool
    """The attempt ended in this file."""
    data: bytes
    before: bytes
    """The bytes of the position's tail."""
    copy: OpenFile
    """Set by COPY_FOUND and END_COPY_FOUND, if there is one."""
    size: int
    """Of the file, in bytes; set by CUT."""

    def __init__(
        self,
        generations: Generations,
        boundary: AttemptBoundary,
        position: StreamPosition,
        *,
        count: int,
        over: bool,
    ) -> None:
        self.boundary = boundary
        self.position = position
        self.count = count
        self.over = over
        self._generations = generations

    def answer(self, question: Question) -> bool:
        """Answer a question; called in the order of `file_states.TRANSITIONS`."""
        return self._ANSWER[question](self)

    def _between_generations(self) -> bool:
        return self.position.sealed or self.position.generation.inode is None

    def _find_successor(self) -> bool:
        return self._look_for_successor(self.position, self._generations.current(self.position))

    def _is_over(self) -> bool:
        return self.over

    def _look_for_successor(self, position: StreamPosition, current: OpenFile | None) -> bool:
        successor = self._generations.successor(position, current, self.boundary)
        self.has_successor = successor is not None
        if successor is not None:
            self.successor = successor
        return self.has_successor

    def _find_file(self) -> bool:
        file = self._generations.find(self.position)
        if file is None:
            return False
        self.file = file
        return True

    def _read(self) -> bool:
        """Read the next bytes; return whether the bytes before the position are unchanged.

        The bytes before are read last: if they are unchanged, the data is what followed them.
        """
        file, position = self.file, _seen_in(self.position, self.file)
        self.seen = position
        self._look_for_successor(position, file)
        end = self.boundary.end_in(file)
        self.ends_here = end is not None
        count = self.count if end is None else max(0, min(self.count, end - position.offset))
        self.data = file.read_at(position.offset, count)
        tail = position.tail
        self.before = file.read_at(position.offset - tail.length, tail.length)
        intact = tail.fits(self.before) and file.stat().size >= position.offset
        return intact and not self.boundary.is_overwritten(file)

    def _find_copy(self) -> bool:
        self._generations.forget_next()  # it may come after what is in this file now
        return self._look_for_copy(self._has_read_bytes)

    def _is_overtaken(self) -> bool:
        return self.boundary.is_overwritten(self.file)

    def _find_end_copy(self) -> bool:
        return self._look_for_copy(lambda other: self.boundary.end_in(other) is not None)

    def _look_for_copy(self, condition: Callable[[OpenFile], bool]) -> bool:
        copy = self._generations.rotated(self.file, condition)
        if copy is None:
            return False
        self.copy = copy
        return True

    def _has_read_bytes(self, file: OpenFile) -> bool:
        return bool(self.position.tail.length) and fits(file, self.position)

    def _is_cut(self) -> bool:
        head = self.position.head
        self.size = self.file.stat().size
        return (
            0 < head.length <= self.size < self.position.offset
            and head.fits(self.file.read_at(0, head.length))
            and not self.position.inherited
        )

    _ANSWER: ClassVar[Mapping[Question, Callable[[_Look], bool]]] = {
        Question.BETWEEN_GENERATIONS: _between_generations,
        Question.HAS_SUCCESSOR: _find_successor,
        Question.ATTEMPT_OVER: _is_over,
        Question.FILE_FOUND: _find_file,
        Question.INTACT: _read,
        Question.COPY_FOUND: _find_copy,
        Question.OVERTAKEN: _is_overtaken,
        Question.END_COPY_FOUND: _find_end_copy,
        Question.CUT: _is_cut,
    }


def _seen_in(position: StreamPosition, file: OpenFile) -> StreamPosition:
    """Return the position with the file's age, and its inode, which differs in a copy.

    An inherited position may be known only by its inode and tail. Then it gets more bytes to be
    recognized by: those that were there at the first look.
    """
    stat = file.stat()
    generation = replace(position.generation, inode=stat.inode, written=stat.mtime)
    position = replace(position, generation=generation)
    if not position.inherited or position.head.length or not fits(file, position):
        return position
    length = min(position.offset, FINGERPRINT_BYTES)
    tail = Fingerprint.of(file.read_at(position.offset - length, length))
    return replace(position, head=head_of(file, length), tail=tail)
