"""What is shown of a trial: its state, the values that stand for it, how long it ran."""

from __future__ import annotations

import pytest

from api.types import (
    Condition,
    ConditionStatus,
    ConditionType,
    MetricStrategy,
    Objective,
    ObjectMeta,
    Observation,
    ObservedMetric,
    Strategy,
    Trial,
    TrialStatus,
)
from tests.trialwatch.view.experiments import at, experiment, stamp, trial
from trialwatch.view.standing import State, observed, standing_of
from trialwatch.view.words import cut, duration, number

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([], State.WAITING),
        ([("Created", TRUE)], State.WAITING),
        ([("Created", TRUE), ("Running", TRUE)], State.RUNNING),
        ([("Running", FALSE), ("Succeeded", TRUE)], State.SUCCEEDED),
        ([("Running", TRUE), ("EarlyStopped", TRUE)], State.STOPPED),
        ([("Running", FALSE), ("Failed", TRUE)], State.FAILED),
        ([("Running", FALSE), ("Failed", FALSE)], State.WAITING),
        ([("Running", FALSE), ("Killed", TRUE)], State.KILLED),
        ([("Running", FALSE), ("MetricsUnavailable", TRUE)], State.WITHOUT_METRICS),
        ([("OfANewerVersion", TRUE), ("Running", TRUE)], State.RUNNING),
    ],
)
def test_a_state_is_what_the_conditions_say(
    conditions: list[tuple[str, ConditionStatus]], state: State
) -> None:
    found = tuple(Condition(type=kind, status=status) for kind, status in conditions)
    one = Trial(metadata=ObjectMeta(name="t"), status=TrialStatus(conditions=found))

    (row,) = standing_of(experiment(), (one,), {}, at(0)).rows

    assert row.state is state


@pytest.mark.parametrize(
    ("strategy", "text"),
    [(Strategy.MIN, "0.1"), (Strategy.MAX, "0.9"), (Strategy.LATEST, "0.5")],
)
def test_the_strategy_says_which_value_stands_for_a_trial(strategy: Strategy, text: str) -> None:
    objective = Objective(metric="a", strategies=(MetricStrategy(name="a", strategy=strategy),))
    metric = ObservedMetric(name="a", min="0.1", max="0.9", latest="0.5")

    assert observed(Observation(metrics=(metric,)), objective, "a") == text


def test_what_was_never_seen_is_not_shown() -> None:
    objective = Objective(metric="a")
    metric = ObservedMetric(name="a", min="", max="", latest="unavailable")

    assert observed(Observation(metrics=(metric,)), objective, "a") == ""
    assert observed(Observation(metrics=(metric,)), objective, "b") == ""
    assert observed(None, objective, "a") == ""


def test_a_running_trial_shows_its_newest_values_and_a_finished_one_what_stands_for_it() -> None:
    trials = (trial(0, value="0.91"), trial(1, ConditionType.RUNNING))
    latest = {name: {"Validation-accuracy": "0.3"} for name in ("random-0000", "random-0001")}

    ended, running = standing_of(experiment(), trials, latest, at(9)).rows

    assert (ended.metrics["Validation-accuracy"], ended.value) == ("0.91", 0.91)
    assert (running.metrics["Validation-accuracy"], running.value) == ("0.3", 0.3)
    assert (ended.seconds, running.seconds) == (2, 8)


@pytest.mark.parametrize("value", ["nan", "inf", "none", ""])
def test_what_is_no_finite_number_is_no_value(value: str) -> None:
    (row,) = standing_of(experiment(), (trial(0, value=value),), {}, at(9)).rows

    assert row.value is None


def test_a_time_that_nobody_can_read_is_no_duration() -> None:
    status = TrialStatus(start_time="yesterday", completion_time=stamp(3))
    (row,) = standing_of(experiment(), (Trial(status=status),), {}, at(9)).rows

    assert row.seconds is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.9, "0s"), (59.9, "59s"), (60, "1m 00s"), (3599, "59m 59s"), (7380, "2h 03m")],
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.93000", "0.93000"),
        ("0.012345678901", "0.01235"),
        ("1.2345678e-05", "1.235e-05"),
        ("123456789", "123456789"),
        ("adam", "adam"),
        ("a\x1b[31m\nb", "a\\x1b[31m\\nb"),
        ("x" * 50, "x" * 39 + "…"),
    ],
)
def test_a_cell_holds_few_characters(text: str, shown: str) -> None:
    assert number(text) == shown


def test_a_cut_text_ends_in_a_mark() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
