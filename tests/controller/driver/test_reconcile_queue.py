"""The queue: each key once, when it is due, and never twice at a time."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from controller.driver.reconcile_queue import ReconcileQueue


def test_what_is_asked_for_often_is_done_once() -> None:
    queue = ReconcileQueue[str](at_once=9)
    for _ in range(5):
        queue.add("a", 1.0)

    assert queue.take(1.0) == "a"
    assert queue.take(1.0) is None


def test_what_is_not_due_yet_is_not_given() -> None:
    queue = ReconcileQueue[str](at_once=9)
    queue.add("a", 5.0)

    assert queue.take(4.9) is None
    assert queue.next_moment() == 5.0
    assert queue.depth(4.9) == 0
    assert queue.depth(5.0) == 1
    assert queue.take(5.0) == "a"


def test_the_earlier_of_two_moments_counts() -> None:
    queue = ReconcileQueue[str](at_once=9)
    queue.add("a", 5.0)
    queue.add("a", 2.0)
    queue.add("a", 7.0)

    assert queue.next_moment() == 2.0
    assert queue.take(2.0) == "a"
    queue.done("a")
    assert queue.next_moment() is None


def test_what_is_asked_for_while_it_is_in_work_comes_again_afterwards() -> None:
    queue = ReconcileQueue[str](at_once=9)
    queue.add("a", 1.0)
    assert queue.take(1.0) == "a"
    queue.add("a", 2.0)

    assert queue.take(3.0) is None
    queue.done("a", 60.0)
    assert queue.take(3.0) == "a"


def test_what_is_done_says_when_it_comes_again() -> None:
    queue = ReconcileQueue[str](at_once=9)
    queue.add("a", 1.0)
    assert queue.take(1.0) == "a"
    queue.done("a", 8.0)

    assert queue.take(7.9) is None
    assert queue.take(8.0) == "a"


def test_who_waits_longest_is_first_and_only_so_many_are_in_work() -> None:
    queue = ReconcileQueue[str](at_once=2)
    for moment, key in enumerate("cab"):
        queue.add(key, float(moment))

    assert [queue.take(9.0) for _ in range(3)] == ["c", "a", None]
    queue.done("c")
    assert queue.take(9.0) == "b"


class Against(RuleBasedStateMachine):
    """The queue beside a list of what is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = ReconcileQueue[int](at_once=3)
        self.wanted: dict[int, float] = {}
        self.in_work: dict[int, float | None] = {}
        self.now = 0.0

    @rule(key=st.integers(0, 6), later=st.integers(0, 5))
    def add(self, key: int, later: int) -> None:
        moment = self.now + later
        self.queue.add(key, moment)
        if key in self.in_work:
            before = self.in_work[key]
            self.in_work[key] = moment if before is None else min(before, moment)
        else:
            self.wanted[key] = min(self.wanted.get(key, moment), moment)

    @rule(seconds=st.integers(0, 3))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def take(self) -> None:
        taken = self.queue.take(self.now)
        due = [moment for moment in self.wanted.values() if moment <= self.now]
        if len(self.in_work) == 3 or not due:
            assert taken is None
        else:
            assert taken is not None
            assert self.wanted.pop(taken) == min(due)
            self.in_work[taken] = None

    @rule(data=st.data(), again=st.none() | st.integers(0, 5))
    def done(self, data: st.DataObject, again: int | None) -> None:
        if not self.in_work:
            return
        key = data.draw(st.sampled_from(sorted(self.in_work)))
        moment = None if again is None else self.now + again
        self.queue.done(key, moment)
        moments = [one for one in (self.in_work.pop(key), moment) if one is not None]
        if moments:
            self.wanted[key] = min(moments)

    @invariant()
    def it_knows_what_is_next(self) -> None:
        assert self.queue.next_moment() == min(self.wanted.values(), default=None)
        assert self.queue.in_work == len(self.in_work)
        assert self.queue.depth(self.now) == sum(m <= self.now for m in self.wanted.values())


TestAgainst = Against.TestCase
TestAgainst.settings = settings(max_examples=100, stateful_step_count=40)
