"""What is shown of a trial: its state, the values that stand for it, how long it ran."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.types import (
    Condition,
    ConditionStatus,
    ConditionType,
    Objective,
    ObjectiveType,
    ObjectMeta,
    Observation,
    ObservedMetric,
    Trial,
    TrialStatus,
)
from tests.trialwatch.view.watched_experiment import at, experiment, stamp, trial
from ui.model.experiment_summary import TrialState, shown, summary_of
from ui.model.formatting import cut, duration, number

TRUE, FALSE = ConditionStatus.TRUE, ConditionStatus.FALSE
METRIC = ObservedMetric(name="a", min="0.1", max="0.9", latest="0.5")


def measured_trial(kind: ConditionType, ended: str | None = None) -> Trial:
    """Return one whose metrics `a` and `b` were 0.1 at the least, 0.9 at most, 0.5 at last."""
    conditions = (Condition(type=kind, status=TRUE),)
    observation = Observation(metrics=(METRIC, replace(METRIC, name="b")))
    status = TrialStatus(conditions=conditions, observation=observation, completion_time=ended)
    return Trial(metadata=ObjectMeta(name="t"), status=status)


@pytest.mark.parametrize(
    ("conditions", "state"),
    [
        ([], TrialState.WAITING),
        ([("Created", TRUE)], TrialState.WAITING),
        ([("Created", TRUE), ("Running", TRUE)], TrialState.RUNNING),
        ([("Running", FALSE), ("Succeeded", TRUE)], TrialState.SUCCEEDED),
        ([("Running", TRUE), ("EarlyStopped", TRUE)], TrialState.STOPPED),
        ([("Running", FALSE), ("Failed", TRUE)], TrialState.FAILED),
        ([("Running", FALSE), ("Failed", FALSE)], TrialState.WAITING),
        ([("Running", FALSE), ("Killed", TRUE)], TrialState.KILLED),
        ([("Running", FALSE), ("MetricsUnavailable", TRUE)], TrialState.WITHOUT_METRICS),
        ([("OfANewerVersion", TRUE), ("Running", TRUE)], TrialState.RUNNING),
    ],
)
def test_a_state_is_what_the_conditions_say(
    conditions: list[tuple[str, ConditionStatus]], state: TrialState
) -> None:
    found = tuple(Condition(type=kind, status=status) for kind, status in conditions)
    one = Trial(metadata=ObjectMeta(name="t"), status=TrialStatus(conditions=found))

    (row,) = summary_of(experiment(), (one,), {}, at(0)).rows

    assert row.state is state


def test_a_metric_without_a_strategy_is_shown_by_the_objectives_type() -> None:
    objective = Objective(type=ObjectiveType.MINIMIZE, metric="a", additional=("b",))
    asked = replace(experiment(), spec=replace(experiment().spec, objective=objective))

    (row,) = summary_of(asked, (measured_trial(ConditionType.SUCCEEDED),), {}, at(9)).rows

    assert (row.metrics, row.value) == ({"a": "0.1", "b": "0.1"}, 0.1)


@pytest.mark.parametrize(
    ("kind", "ended", "text"),
    [
        (ConditionType.RUNNING, None, "0.5"),
        (ConditionType.FAILED, stamp(3), "0.5"),
        (ConditionType.EARLY_STOPPED, None, "0.5"),
        (ConditionType.EARLY_STOPPED, stamp(3), "0.1"),
        (ConditionType.SUCCEEDED, stamp(3), "0.1"),
    ],
)
def test_a_value_stands_for_a_trial_only_where_it_may_be_the_optimum(
    kind: ConditionType, ended: str | None, text: str
) -> None:
    objective = Objective(type=ObjectiveType.MINIMIZE, metric="a")

    assert shown(measured_trial(kind, ended), METRIC, objective) == text


def test_where_no_value_was_a_finite_number_the_latest_is_shown() -> None:
    metric = ObservedMetric(name="a", min="unavailable", max="unavailable", latest="nan")
    objective = Objective(type=ObjectiveType.MINIMIZE, metric="a")

    assert shown(measured_trial(ConditionType.SUCCEEDED), metric, objective) == "nan"


def test_what_was_never_seen_is_not_shown() -> None:
    metric = ObservedMetric(name="a", min="", max="", latest="unavailable")

    assert shown(measured_trial(ConditionType.SUCCEEDED), metric, Objective(metric="a")) == ""


def test_a_running_trial_shows_its_newest_values_and_a_finished_one_what_stands_for_it() -> None:
    trials = (trial(0, value="0.91"), trial(1, ConditionType.RUNNING))
    latest = {name: {"Validation-accuracy": "0.3"} for name in ("random-0000", "random-0001")}

    ended, running = summary_of(experiment(), trials, latest, at(9)).rows

    assert (ended.metrics["Validation-accuracy"], ended.value) == ("0.91", 0.91)
    assert (running.metrics["Validation-accuracy"], running.value) == ("0.3", 0.3)
    assert (ended.seconds, running.seconds) == (2, 8)


@pytest.mark.parametrize("value", ["nan", "inf", "none", ""])
def test_what_is_no_finite_number_is_no_value(value: str) -> None:
    (row,) = summary_of(experiment(), (trial(0, value=value),), {}, at(9)).rows

    assert row.value is None


def test_a_time_that_nobody_can_read_is_no_duration() -> None:
    status = TrialStatus(start_time="yesterday", completion_time=stamp(3))
    (row,) = summary_of(experiment(), (Trial(status=status),), {}, at(9)).rows

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
