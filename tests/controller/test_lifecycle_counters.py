"""What happens to an object is counted once, however often it is seen."""

from __future__ import annotations

from dataclasses import replace

from api.types import Condition, ConditionStatus, ConditionType, Experiment
from controller.lifecycle_counters import LifecycleCounters, LifecycleEvent
from controller.reconcile.views import key_of
from tests.controller.experiment_harness import experiment


def having(*held: ConditionType, uid: str = "uid-exp") -> Experiment:
    """Return an experiment of which these conditions hold."""
    conditions = tuple(
        Condition(type=kind, status=ConditionStatus.TRUE, reason="R", message="m") for kind in held
    )
    plain = experiment(uid=uid)
    return replace(plain, status=replace(plain.status, conditions=conditions))


def counted(tally: LifecycleCounters, *moments: Experiment | None) -> list[LifecycleEvent]:
    key = key_of(experiment())
    return [happened for item in moments for happened in tally.seen(key, item)]


def begun() -> LifecycleCounters:
    tally = LifecycleCounters()
    tally.begin()
    return tally


def test_an_end_that_is_reported_again_is_counted_once() -> None:
    ended = having(ConditionType.SUCCEEDED)

    assert counted(begun(), experiment(), ended, ended) == [
        LifecycleEvent.CREATED,
        LifecycleEvent.SUCCEEDED,
    ]


def test_an_older_state_that_is_reported_late_does_not_make_the_end_count_again() -> None:
    running, ended = having(ConditionType.RUNNING), having(ConditionType.FAILED)

    assert counted(begun(), running, ended, running, ended) == [
        LifecycleEvent.CREATED,
        LifecycleEvent.FAILED,
    ]


def test_an_experiment_that_is_resumed_ends_again() -> None:
    ended, resumed = having(ConditionType.SUCCEEDED), having(ConditionType.RESTARTING)

    assert counted(begun(), ended, resumed, ended)[1:] == [
        LifecycleEvent.SUCCEEDED,
        LifecycleEvent.SUCCEEDED,
    ]


def test_what_was_there_at_the_beginning_is_not_counted_but_its_end_is() -> None:
    tally = LifecycleCounters()
    assert counted(tally, experiment()) == []
    tally.begin()

    assert counted(tally, experiment(), having(ConditionType.FAILED)) == [LifecycleEvent.FAILED]


def test_another_object_of_the_same_name_means_that_the_first_has_gone() -> None:
    first, second = having(uid="1"), having(uid="2")

    assert counted(begun(), first, second, None) == [
        LifecycleEvent.CREATED,
        LifecycleEvent.DELETED,
        LifecycleEvent.CREATED,
        LifecycleEvent.DELETED,
    ]


def test_one_that_was_never_seen_has_not_gone() -> None:
    assert counted(begun(), None) == []
