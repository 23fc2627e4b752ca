"""One look at a followed file: the answers to the questions of `file_states`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from collector.streams.attempt_boundary import AttemptBoundary
from collector.streams.file_states import Question
from collector.streams.files import OpenFile
from collector.streams.generations import Generations
from collector.streams.rotated_files import fits, head_of
from collector.streams.stream_position import FINGERPRINT_BYTES, Fingerprint, StreamPosition


class FileLook:
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
        """Look for at most `count` bytes from a position; `over`: the attempt has ended."""
        self.boundary = boundary
        self.position = position
        self.count = count
        self.over = over
        self._generations = generations

    def answer(self, question: Question) -> bool:
        """Answer a question; called in the order of `file_states.TRANSITIONS`."""
        return self.ANSWERS[question](self)

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
        file, position = self.file, seen_in(self.position, self.file)
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

    ANSWERS: ClassVar[Mapping[Question, Callable[[FileLook], bool]]] = {
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


def seen_in(position: StreamPosition, file: OpenFile) -> StreamPosition:
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
