"""An experiment's life, its budget, and its end."""

from __future__ import annotations

from api.types import ConditionType, holds
from controller.trial_states import State
from tests.controller.worlds import World, experiment


async def test_it_keeps_as_many_trials_active_as_it_may_and_ends_when_all_are_done() -> None:
    world = World(experiment())

    for round_number in range(2):
        await world.settle(seconds=1)
        running = world.in_state(State.RUNNING)
        assert len(running) == 2
        for trial in running:
            world.succeed(trial, f"0.{5 - round_number}")
    await world.settle(seconds=1)

    status = world.experiment.status
    assert status.trials_succeeded == status.trials == 4
    assert [c.type for c in status.conditions] == ["Created", "Running", "Succeeded"]
    assert holds(status.conditions, ConditionType.SUCCEEDED)
    assert status.optimal_trial is not None
    assert status.optimal_trial.observation.metrics[0].min == "0.4"
    assert status.optimal_trial.name == status.succeeded[2]
