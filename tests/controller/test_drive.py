"""The driver: what it does with the actions, with failures, and with answers that never come."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from api.errors import RemoteError, Unavailable, UserError
from api.types import ConditionType, JsonObject, Trial, holds
from controller.driver.drive import Driver
from controller.driver.memory import MemoryJobs
from controller.driver.ports import Conflict
from controller.reconcile.trial_states import State
from controller.reconcile.views import JobFacts, Key, key_of
from tests.controller.worlds import KEY, World, experiment


class Stubborn(MemoryJobs):
    """Jobs that stay for a while after they were deleted."""

    asked = 0

    async def delete(self, trial: Trial) -> None:
        del trial
        self.asked += 1


class Refusing(MemoryJobs):
    """No job can be created, for this cause."""

    error: RemoteError = RemoteError("there is no kind FooJob here; install its operator")

    async def create(self, trial: Trial, document: JsonObject) -> None:
        del trial, document
        raise self.error


def over(world: World, jobs: MemoryJobs) -> World:
    world.memory.jobs = jobs
    world.driver = Driver(world.memory.ports(), random.Random(1), world.policy)
    return world


async def test_a_job_that_goes_slowly_is_asked_to_go_once_a_turn() -> None:
    world = over(World(experiment()), Stubborn())
    await world.settle()
    trial = world.trials[0]
    world.succeed(trial, "1")
    world.now += timedelta(seconds=1)

    await world.driver.trial(key_of(trial), world.now)

    assert isinstance(world.memory.jobs, Stubborn)
    assert world.memory.jobs.asked == 1


async def test_a_job_that_cannot_be_created_fails_its_trial_with_the_cause() -> None:
    world = over(World(experiment(max_failed_trial_count=1)), Refusing())
    await world.settle()

    failed = world.in_state(State.FAILED)[0]
    assert "there is no kind FooJob here; install its operator" in (
        failed.status.conditions[-1].message
    )
    assert holds(world.experiment.status.conditions, ConditionType.FAILED)


@pytest.mark.parametrize("error", [Unavailable("the API server is away"), Conflict("changed")])
async def test_a_job_that_cannot_be_created_now_is_created_later(error: RemoteError) -> None:
    refusing = Refusing()
    refusing.error = error
    world = over(World(experiment()), refusing)
    wake = await world.settle()
    assert wake is not None
    assert len(world.in_state(State.PENDING)) == 2

    over(world, MemoryJobs())
    world.now = wake
    await world.settle()
    assert len(world.in_state(State.RUNNING)) == 2


async def test_failures_are_told_and_waited_for_longer_each_time_up_to_a_minute() -> None:
    refusing = Refusing()
    refusing.error = Unavailable("the API server is away")
    world = over(World(experiment()), refusing)
    await world.settle()
    key = key_of(world.trials[0])

    waits = []
    for _ in range(12):
        wake = await world.driver.trial(key, world.now)
        assert wake is not None
        waits.append((wake - world.now).total_seconds())

    assert waits == sorted(waits)
    assert waits[0] < 5
    assert waits[-1] == 60
    assert world.memory.events.all[-1].message == "Failed to reconcile: the API server is away"


async def test_what_is_not_there_is_left_alone() -> None:
    world = World()

    assert await world.driver.experiment(KEY, world.now) is None
    assert await world.driver.trial(KEY, world.now) is None


async def test_an_early_stop_of_a_trial_that_is_not_there_is_refused() -> None:
    world = World(experiment())

    with pytest.raises(UserError, match="there is no trial ns/nope"):
        await world.driver.stop_early(Key(namespace="ns", name="nope"), world.now)


async def test_a_store_that_is_away_holds_no_deleted_trial_for_ever() -> None:
    world = World(experiment())
    await world.settle()
    trial = world.trials[0]
    await world.memory.objects.delete(trial)
    world.memory.observations.away = "connection refused"
    key = key_of(trial)

    await world.driver.trial(key, world.now)
    wake = await world.driver.trial(key, world.now)
    assert wake is not None
    assert key in world.memory.objects.all_trials

    await world.driver.trial(key, world.now + world.policy.deletion_grace)
    assert key not in world.memory.objects.all_trials


async def test_a_view_says_what_a_vanished_job_was() -> None:
    world = World(experiment())
    await world.settle()
    trial = world.trials[0]
    world.succeed(trial, "1")
    facts = world.memory.jobs.facts[key_of(trial)]
    world.memory.jobs.facts[key_of(trial)] = JobFacts(document=facts.document, gone=True)

    await world.settle(seconds=1)

    assert world.in_state(State.SUCCEEDED)[0].metadata.name == trial.metadata.name
