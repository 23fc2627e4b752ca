"""What holds for every rule, whatever the trials are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import EarlyStoppingSpec, ExperimentSpec, Objective, ObjectiveType, Setting
from stopping.registry import BUILT_IN, Stopping, stopping_of
from stopping.rule import Goal, TrialHistory, TrialState
from stopping.successive_halving import SuccessiveHalving
from tests.stopping.histories import curve, stopped_by, trial

SETTINGS = {
    "hyperband-stop": {"max_resource": "27"},
    "medianstop": {"start_step": "1", "min_trials_required": "1"},
    "percentile": {"start_step": "1", "min_trials_required": "1"},
    "threshold": {"upper": "5"},
}
VALUES = st.lists(st.integers(0, 9) | st.just("nan"), max_size=12)
TRIALS = st.lists(st.tuples(VALUES, st.sampled_from(TrialState)), max_size=12).map(
    lambda parts: [
        TrialHistory(name=f"t{i}", state=state, curves={"loss": curve(values)})
        for i, (values, state) in enumerate(parts)
    ]
)


def made(name: str, objective: ObjectiveType = ObjectiveType.MINIMIZE) -> Stopping:
    settings = SETTINGS.get(name, {}).items()
    stopping = stopping_of(
        ExperimentSpec(
            objective=Objective(type=objective, metric="loss"),
            early_stopping=EarlyStoppingSpec(
                name=name, settings=tuple(Setting(name=n, value=v) for n, v in settings)
            ),
        )
    )
    assert stopping is not None
    return stopping


@pytest.mark.parametrize("name", BUILT_IN)
@given(trials=TRIALS, seed=st.integers())
def test_equal_histories_give_equal_verdicts_in_any_order(
    name: str, trials: list[TrialHistory], seed: int
) -> None:
    stopping = made(name)
    shuffled = random.Random(seed).sample(trials, len(trials))

    found = stopped_by(stopping.rule, trials, stopping.goal)

    assert found == stopped_by(made(name).rule, shuffled, stopping.goal)
    running = {one.name for one in trials if one.state is TrialState.RUNNING}
    assert set(found) <= running


@pytest.mark.parametrize(
    "name", [name for name in BUILT_IN if name not in {"patience", "threshold"}]
)
@given(trials=TRIALS)
def test_the_best_trial_of_all_is_never_stopped(name: str, trials: list[TrialHistory]) -> None:
    stopping = made(name)
    goal = stopping.goal
    longest = max((len(one.curve("loss").marks) for one in trials), default=0)
    best = TrialHistory(
        name="best", state=TrialState.RUNNING, curves={"loss": curve([-1] * max(1, longest))}
    )

    assert "best" not in stopped_by(stopping.rule, [*trials, best], goal)


@given(losses=st.lists(st.integers(0, 9), max_size=20), factor=st.integers(2, 4))
def test_asha_decides_at_once_and_stays_with_it(losses: list[int], factor: int) -> None:
    """Trials that come later do not change what became of those before."""
    rule = SuccessiveHalving(name="asha", reduction_factor=factor)
    trials = [trial(f"t{i}", [loss], begun=i) for i, loss in enumerate(losses)]
    at_the_end = stopped_by(rule, trials)

    for count in range(len(trials)):
        before = {one.name for one in trials[:count]}
        assert stopped_by(rule, trials[:count]) == {
            name: why for name, why in at_the_end.items() if name in before
        }


@pytest.mark.parametrize("name", BUILT_IN)
@given(trials=TRIALS)
def test_maximize_is_minimize_of_the_negated_values(name: str, trials: list[TrialHistory]) -> None:
    if name == "threshold":  # its bounds are values, not losses
        return
    stopping = made(name)
    negated = [
        TrialHistory(
            name=one.name,
            state=one.state,
            curves={
                "loss": curve(
                    [
                        "nan" if mark.value is None else -mark.value
                        for mark in one.curve("loss").marks
                    ]
                )
            },
        )
        for one in trials
    ]

    found = stopping.rule.judge(Goal(metric="loss", maximize=True), negated)

    assert {one.trial for one in found} == set(stopped_by(stopping.rule, trials))
