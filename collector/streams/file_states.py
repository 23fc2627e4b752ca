"""What has become of a followed file: questions, states, and the table that connects them.

A look at a file begins with the question `BETWEEN_GENERATIONS`. Each answer leads to the next
question, or to one of ten states (`TRANSITIONS`). The state says how reading continues.

A question costs calls of the file system, and the file's writer may act between two calls. So each
question is asked only where its answer matters, and in the order of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple, TypeAlias


class Question(Enum):
    """A question about the file. Yes or no decides what comes next."""

    BETWEEN_GENERATIONS = "between generations"
    """Is there no generation to read: none was found yet, or the last one is read to its end?"""
    HAS_SUCCESSOR = "has successor"
    """Is there a file that comes after the position's generation?"""
    ATTEMPT_OVER = "attempt over"
    """Has the attempt ended, so that no further byte of it will be written?"""
    FILE_FOUND = "file found"
    """Is the generation's file open, or was it found by its bytes or its inode?"""
    INTACT = "intact"
    """Are the bytes before the position unchanged, and is the file not the next attempt's?"""
    COPY_FOUND = "copy found"
    """Does a rotated file have the bytes before the position?"""
    OVERTAKEN = "overtaken"
    """Has the next attempt written over the file in which this attempt ended?"""
    END_COPY_FOUND = "end copy found"
    """Does a rotated file have the bytes with which this attempt ended?"""
    CUT = "cut"
    """Is the file shorter than the position, but its first bytes are those that were read?"""


class FileState(Enum):
    """What has become of the file."""

    WAITING = "waiting"
    """The next generation does not exist yet."""
    NEXT_EXISTS = "next exists"
    """The next generation exists."""
    ENDED = "ended"
    """There is no next generation, and none will come."""
    DELETED = "deleted"
    """The generation's file does not exist any more."""
    READABLE = "readable"
    """The file continues where the position is."""
    COPIED = "copied"
    """The file was copied, then emptied or written over (copytruncate)."""
    OVERTAKEN_WITH_COPY = "overtaken with copy"
    """The next attempt has written over the file, and a copy has the end of this attempt."""
    OVERTAKEN = "overtaken"
    """The next attempt has written over the file, and no copy exists."""
    CUT = "cut"
    """The file was cut to fewer bytes than were read; its start is the old one."""
    EMPTIED = "emptied"
    """The file was emptied or written over, and no copy exists."""


Target: TypeAlias = Question | FileState


class Answers(NamedTuple):
    """Where each answer to a question leads."""

    yes: Target
    no: Target


FIRST = Question.BETWEEN_GENERATIONS

TRANSITIONS: Mapping[Question, Answers] = {
    Question.BETWEEN_GENERATIONS: Answers(yes=Question.HAS_SUCCESSOR, no=Question.FILE_FOUND),
    Question.HAS_SUCCESSOR: Answers(yes=FileState.NEXT_EXISTS, no=Question.ATTEMPT_OVER),
    Question.ATTEMPT_OVER: Answers(yes=FileState.ENDED, no=FileState.WAITING),
    Question.FILE_FOUND: Answers(yes=Question.INTACT, no=FileState.DELETED),
    Question.INTACT: Answers(yes=FileState.READABLE, no=Question.COPY_FOUND),
    Question.COPY_FOUND: Answers(yes=FileState.COPIED, no=Question.OVERTAKEN),
    Question.OVERTAKEN: Answers(yes=Question.END_COPY_FOUND, no=Question.CUT),
    Question.END_COPY_FOUND: Answers(yes=FileState.OVERTAKEN_WITH_COPY, no=FileState.OVERTAKEN),
    Question.CUT: Answers(yes=FileState.CUT, no=FileState.EMPTIED),
}


def state_of(answer: Callable[[Question], bool]) -> FileState:
    """Follow the table from its first question to a state; `answer` is asked each question once."""
    target: Target = FIRST
    while isinstance(target, Question):
        answers = TRANSITIONS[target]
        target = answers.yes if answer(target) else answers.no
    return target


class ReadEnd(Enum):
    """What follows the bytes that were read from a readable file."""

    MORE = "more"
    """More bytes of this generation, now or later."""
    NEXT_GENERATION = "next generation"
    """The next generation: this one is read to its end."""
    STREAM_END = "stream end"
    """Nothing: the attempt ended here."""
    UNKNOWN_END = "unknown end"
    """Nothing: the attempt is over, but it did not end in this file."""


def read_end(*, read_all: bool, over: bool, successor: bool, ends_here: bool) -> ReadEnd:
    """Return what follows the bytes that were read.

    | read all | attempt over | ended in this file | successor | result          |
    |----------|--------------|--------------------|-----------|-----------------|
    | no       | any          | any                | any       | MORE            |
    | yes      | no           | any                | no        | MORE            |
    | yes      | no           | any                | yes       | NEXT_GENERATION |
    | yes      | yes          | yes                | any       | STREAM_END      |
    | yes      | yes          | no                 | yes       | NEXT_GENERATION |
    | yes      | yes          | no                 | no        | UNKNOWN_END     |
    """
    if not read_all:
        return ReadEnd.MORE
    if over and ends_here:
        return ReadEnd.STREAM_END
    if successor:
        return ReadEnd.NEXT_GENERATION
    return ReadEnd.UNKNOWN_END if over else ReadEnd.MORE
