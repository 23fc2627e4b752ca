"""The rule that stops a trial, made of the averages of finished trials."""

from __future__ import annotations

import pytest

from api.errors import SpecError
from api.types import Comparison, EarlyStoppingSpec, Objective, ObjectiveType, StopRule
from suggestion.algorithms.median_stop import MedianStop, median_stop_of
from tests.suggestion.controller_requests import OBJECTIVE, settings

LARGER = Objective(type=ObjectiveType.MAXIMIZE, metric="accuracy")


def test_the_rule_is_the_median_which_one_diverged_trial_does_not_distort() -> None:
    (rule,) = MedianStop().rules(OBJECTIVE, [0.5, 1e9, 0.7])

    assert rule == StopRule(name="loss", value="0.7", comparison=Comparison.GREATER, start_step=4)


def test_with_an_even_number_of_trials_the_rule_is_between_the_middle_two() -> None:
    (rule,) = MedianStop().rules(OBJECTIVE, [1.0, 2.0, 4.0, 5.0])

    assert rule.value == "3.0"


def test_with_maximize_a_trial_is_stopped_below_the_median() -> None:
    (rule,) = MedianStop().rules(LARGER, [0.1, 0.2, 0.3])

    assert (rule.name, rule.comparison) == ("accuracy", Comparison.LESS)


def test_too_few_trials_make_no_rule() -> None:
    assert MedianStop().rules(OBJECTIVE, [0.1, 0.2]) == ()
    assert MedianStop(min_trials_required=2).rules(OBJECTIVE, [0.1, 0.2]) != ()


@pytest.mark.parametrize(
    ("values", "average"),
    [
        (["1", "2", "3", "4", "1000"], 2.5),
        (["1", "2"], 1.5),
        (["1", "nan", "3", "x", "5"], 2.0),
        (["1", "1_000", "3"], 2.0),
        (["nan", "inf"], None),
        ([], None),
    ],
)
def test_the_first_values_are_averaged(values: list[str], average: float | None) -> None:
    assert MedianStop().average(values) == average


def test_the_settings_are_read() -> None:
    spec = EarlyStoppingSpec(
        name="medianstop", settings=settings({"min_trials_required": "2", "start_step": "5"})
    )

    assert median_stop_of(spec) == MedianStop(min_trials_required=2, start_step=5)
    assert median_stop_of(EarlyStoppingSpec(name="medianstop")) == MedianStop()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("min_trials_required", "0", 'value: Invalid value: "0": min_trials_required must be greater than zero (>0); write a whole number from 1 to 1000000'),
        ("start_step", "0", 'value: Invalid value: "0": start_step must be greater or equal than one (>=1); write a whole number from 1 to 1000000'),
        ("start_step", "x", 'value: Invalid value: "x": failed to validate start_step(x): write a whole number from 1 to 1000000'),
        ("start_steps", "1", 'name: Invalid value: "start_steps": unknown setting start_steps for algorithm medianstop; did you mean "start_step"?'),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(name: str, value: str, line: str) -> None:
    with pytest.raises(SpecError) as refused:
        median_stop_of(EarlyStoppingSpec(name="medianstop", settings=settings({name: value})))

    assert str(refused.value) == f"spec.earlyStopping.algorithmSettings[0].{line}"
