"""The table from questions about a followed file to its state, and the table of what follows a read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import product

import pytest

from collector.streams.file_states import (
    FIRST,
    TRANSITIONS,
    FileState,
    Question,
    ReadEnd,
    read_end,
    state_of,
)

Q = Question

PATHS: Mapping[FileState, dict[Question, bool]] = {
    FileState.NEXT_EXISTS: {Q.BETWEEN_GENERATIONS: True, Q.HAS_SUCCESSOR: True},
    FileState.ENDED: {Q.BETWEEN_GENERATIONS: True, Q.HAS_SUCCESSOR: False, Q.ATTEMPT_OVER: True},
    FileState.WAITING: {Q.BETWEEN_GENERATIONS: True, Q.HAS_SUCCESSOR: False, Q.ATTEMPT_OVER: False},
    FileState.DELETED: {Q.BETWEEN_GENERATIONS: False, Q.FILE_FOUND: False},
    FileState.READABLE: {Q.BETWEEN_GENERATIONS: False, Q.FILE_FOUND: True, Q.INTACT: True},
    FileState.COPIED: {
        Q.BETWEEN_GENERATIONS: False,
        Q.FILE_FOUND: True,
        Q.INTACT: False,
        Q.COPY_FOUND: True,
    },
    FileState.OVERTAKEN_WITH_COPY: {
        Q.BETWEEN_GENERATIONS: False,
        Q.FILE_FOUND: True,
        Q.INTACT: False,
        Q.COPY_FOUND: False,
        Q.OVERTAKEN: True,
        Q.END_COPY_FOUND: True,
    },
    FileState.OVERTAKEN: {
        Q.BETWEEN_GENERATIONS: False,
        Q.FILE_FOUND: True,
        Q.INTACT: False,
        Q.COPY_FOUND: False,
        Q.OVERTAKEN: True,
        Q.END_COPY_FOUND: False,
    },
    FileState.CUT: {
        Q.BETWEEN_GENERATIONS: False,
        Q.FILE_FOUND: True,
        Q.INTACT: False,
        Q.COPY_FOUND: False,
        Q.OVERTAKEN: False,
        Q.CUT: True,
    },
    FileState.EMPTIED: {
        Q.BETWEEN_GENERATIONS: False,
        Q.FILE_FOUND: True,
        Q.INTACT: False,
        Q.COPY_FOUND: False,
        Q.OVERTAKEN: False,
        Q.CUT: False,
    },
}


@pytest.mark.parametrize("state", FileState)
def test_a_state_follows_from_its_answers_and_no_other_question_is_asked(state: FileState) -> None:
    asked: list[Question] = []

    def answer(question: Question) -> bool:
        asked.append(question)
        return PATHS[state][question]

    assert state_of(answer) is state
    assert asked == list(PATHS[state])


def test_one_answer_leads_to_each_question_and_to_each_state() -> None:
    targets = Counter(target for answers in TRANSITIONS.values() for target in answers)
    assert targets == Counter((*(set(Question) - {FIRST}), *FileState))


def test_every_combination_of_answers_leads_to_a_state() -> None:
    states = set()
    for answers in product((True, False), repeat=len(Question)):
        states.add(state_of(dict(zip(Question, answers, strict=True)).__getitem__))
    assert states == set(FileState)


@pytest.mark.parametrize(
    ("read_all", "over", "ends_here", "successor", "expected"),
    [
        (False, None, None, None, ReadEnd.MORE),
        (True, False, None, False, ReadEnd.MORE),
        (True, False, None, True, ReadEnd.NEXT_GENERATION),
        (True, True, True, None, ReadEnd.STREAM_END),
        (True, True, False, True, ReadEnd.NEXT_GENERATION),
        (True, True, False, False, ReadEnd.UNKNOWN_END),
    ],
)
def test_what_follows_a_read_for_every_value_of_the_facts_that_do_not_matter(
    *,
    read_all: bool,
    over: bool | None,
    ends_here: bool | None,
    successor: bool | None,
    expected: ReadEnd,
) -> None:
    facts = (over, ends_here, successor)
    for values in product(*((True, False) if fact is None else (fact,) for fact in facts)):
        over_now, ends_now, successor_now = values
        assert expected is read_end(
            read_all=read_all, over=over_now, ends_here=ends_now, successor=successor_now
        )
