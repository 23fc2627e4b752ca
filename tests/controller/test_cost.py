"""Work grows with the number of trials and no faster: calls are counted, never seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from types import FrameType

import pytest

from api.types import Experiment, Observation, ObservedMetric, Suggestion, Trial
from controller.experiments import reconcile_experiment
from controller.trial_states import State
from controller.views import ExperimentView, Policy
from tests.controller.worlds import World, experiment


def calls_of(act: Callable[[], object]) -> int:
    """Count the calls of Python functions."""
    count = 0

    def note(_: FrameType, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


async def parts() -> tuple[Experiment, Suggestion, Trial]:
    world = World(experiment(max_trial_count=100_000, parallel_trial_count=1))
    await world.settle()
    world.succeed(world.in_state(State.RUNNING)[0], "0.5")
    await world.settle(seconds=1)
    return world.experiment, world.suggestion, world.trials[0]


def view_of(count: int, made: tuple[Experiment, Suggestion, Trial]) -> ExperimentView:
    item, suggestion, trial = made
    trials = []
    for number in range(count):
        text = str(number % 7)
        metric = ObservedMetric(name="loss", min=text, max=text, latest=text)
        status = replace(trial.status, observation=Observation(metrics=(metric,)))
        meta = replace(
            trial.metadata,
            name=f"exp-{number}",
            labels={**trial.metadata.labels, "trialwatch.dev/number": str(number)},
        )
        trials.append(replace(trial, metadata=meta, status=status))
    return ExperimentView(experiment=item, suggestion=suggestion, trials=tuple(trials))


@pytest.mark.parametrize("count", [100, 1_000])
async def test_ten_times_the_trials_are_ten_times_the_work_at_most(count: int) -> None:
    made = await parts()
    few, many = view_of(count, made), view_of(10 * count, made)
    now, policy = World().now, Policy()

    a_few = calls_of(lambda: reconcile_experiment(few, now, policy))
    a_lot = calls_of(lambda: reconcile_experiment(many, now, policy))

    assert a_few > count, "the count counts"
    assert a_lot <= 10 * a_few


async def test_the_suggestion_stays_as_small_after_a_hundred_trials_as_after_one() -> None:
    world = World(experiment(max_trial_count=100, parallel_trial_count=4))
    while world.experiment.status.trials_succeeded < 100:
        await world.settle(seconds=1)
        for trial in world.in_state(State.RUNNING):
            world.succeed(trial, "0.5")

    assert world.suggestion.status.suggestion_count == 100
    assert world.suggestion.status.suggestions == ()
