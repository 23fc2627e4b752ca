"""Which trials a stopping rule sees, and with which values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from api.types import ConditionType, Trial
from controller.reconcile import judged_trials
from controller.reconcile.judged_trials import JudgedTrials, extended
from controller.reconcile.observation import observation_of
from controller.reconcile.trial_transitions import (
    end_trial,
    mark_early_stopped,
    record_observation,
)
from stopping.curves import Point
from stopping.registry import Stopping
from stopping.rule import Goal
from stopping.successive_halving import SuccessiveHalving
from tests.controller.experiment_harness import START, loss
from tests.controller.reconcile.test_trials import at_work, living

SEEN = observation_of(loss("0.5"), at_work().spec.objective)  # type: ignore[arg-type]  # it has one


def judged() -> JudgedTrials:
    rule = SuccessiveHalving(name="asha", reduction_factor=2)
    return JudgedTrials(Stopping(rule=rule, goal=Goal(metric="loss"), metrics=("loss",)))


def named(name: str, trial: Trial) -> Trial:
    return replace(trial, metadata=replace(trial.metadata, name=name, resource_version="1"))


def succeeded(name: str, seconds: int = 0) -> Trial:
    moment = START + timedelta(seconds=seconds)
    return named(name, end_trial(at_work(), ConditionType.SUCCEEDED, moment, observation=SEEN))


def point(value: float, second: int = 1) -> tuple[str, Point]:
    return "loss", Point(str(value), 1, second * 1_000_000)


def test_a_rule_sees_what_runs_and_what_has_ended_with_a_value() -> None:
    assert SEEN is not None
    stopped = mark_early_stopped(at_work(), START, "why")
    deleted = at_work()
    deleted = replace(deleted, metadata=replace(deleted.metadata, deletion_timestamp="now"))
    trials = [
        named("running", at_work()),
        named("pending", living()),
        named("deleted", deleted),
        named("stopping", stopped),
        named("stopped", record_observation(stopped, SEEN, START)),
        named("failed", end_trial(at_work(), ConditionType.FAILED, START)),
        named("killed", end_trial(at_work(), ConditionType.KILLED, START)),
        succeeded("good"),
    ]

    running, ended = judged().take(trials)

    assert [one.metadata.name for one in running] == ["running"]
    assert [one.metadata.name for one in ended] == ["stopping", "stopped", "good"]


def test_of_very_many_trials_that_have_ended_the_newest_are_compared_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judged_trials, "MOST_ENDED", 2)

    _, ended = judged().take([succeeded(f"t{i}", seconds=i) for i in (3, 1, 2)])

    assert [one.metadata.name for one in ended] == ["t2", "t3"]


def test_a_stopped_trial_counts_while_its_pods_still_end() -> None:
    trials = judged()
    trials.take([named(name, at_work()) for name in "abc"])
    trials.add("a", [point(1)])
    trials.add("b", [point(3, second=2)])
    assert [one.trial for one in trials.verdicts()] == ["b"]

    stopping = named("b", mark_early_stopped(at_work(), START, "why"))
    stopping = replace(stopping, metadata=replace(stopping.metadata, resource_version="2"))
    trials.take([named("a", at_work()), stopping, named("c", at_work())])
    trials.add("c", [point(2, second=3)])

    assert trials.verdicts() == ()  # c is the second of three, and the best two go on


def test_the_values_of_a_trial_that_failed_are_forgotten() -> None:
    trials = judged()
    trials.take([named("a", at_work()), named("b", at_work())])
    trials.add("a", [point(1)])
    trials.add("b", [point(2, second=2)])
    assert [one.trial for one in trials.verdicts()] == ["b"]

    failed = named("a", end_trial(at_work(), ConditionType.FAILED, START))
    failed = replace(failed, metadata=replace(failed.metadata, resource_version="2"))
    trials.take([failed, named("b", at_work())])

    assert trials.verdicts() == ()


def test_exact_values_take_the_place_of_those_of_the_stream() -> None:
    trials = judged()
    trials.take([named("a", at_work()), named("b", at_work())])
    trials.add("a", [point(1)])
    trials.add("b", [point(2, second=2)])

    assert trials.verdicts({"b": extended({}, [point(0.5, second=2)])}) == ()


def test_nothing_is_judged_before_the_values_of_all_ended_trials_were_read() -> None:
    trials = judged()
    trials.take([succeeded("a"), succeeded("b"), named("x", at_work())])
    trials.replace("a", extended({}, [point(1)]))
    trials.add("x", [point(2, second=9)])
    assert trials.verdicts() == ()

    trials.replace("b", extended({}, [point(3)]))
    assert trials.verdicts() == ()  # x is the second of three, and the best two go on

    trials.replace("b", extended({}, [point(0.5)]))
    assert [one.trial for one in trials.verdicts()] == ["x"]
