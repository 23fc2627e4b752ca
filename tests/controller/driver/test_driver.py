"""The driver: what it does with actions, with errors, and with replies that never come."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from api.errors import RemoteError, Unavailable, UserError
from api.types import ConditionType, JsonObject, Trial, holds
from controller.driver.driver import Driver
from controller.driver.leftover_rows import LeftoverRows
from controller.driver.memory import MemoryJobs
from controller.driver.ports import Conflict, NoLeftoverRecord
from controller.reconcile.trial_states import TrialState
from controller.reconcile.views import JobFacts, Key, key_of
from tests.controller.experiment_harness import KEY, ExperimentHarness, experiment, loss


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


def over(harness: ExperimentHarness, jobs: MemoryJobs) -> ExperimentHarness:
    harness.memory.jobs = jobs
    harness.driver = Driver(harness.memory.ports(), random.Random(1), harness.policy)
    return harness


async def test_a_job_that_is_deleted_slowly_is_deleted_once_each_reconcile() -> None:
    harness = over(ExperimentHarness(experiment()), Stubborn())
    await harness.settle()
    trial = harness.trials[0]
    harness.succeed(trial, "1")
    harness.now += timedelta(seconds=1)

    await harness.driver.trial(key_of(trial), harness.now)

    assert isinstance(harness.memory.jobs, Stubborn)
    assert harness.memory.jobs.asked == 1


async def test_a_job_that_cannot_be_created_fails_its_trial_with_the_cause() -> None:
    harness = over(ExperimentHarness(experiment(max_failed_trial_count=1)), Refusing())
    await harness.settle()

    failed = harness.in_state(TrialState.FAILED)[0]
    assert "there is no kind FooJob here; install its operator" in (
        failed.status.conditions[-1].message
    )
    assert holds(harness.experiment.status.conditions, ConditionType.FAILED)


@pytest.mark.parametrize("error", [Unavailable("the API server is away"), Conflict("changed")])
async def test_a_job_that_cannot_be_created_now_is_created_later(error: RemoteError) -> None:
    refusing = Refusing()
    refusing.error = error
    harness = over(ExperimentHarness(experiment()), refusing)
    wake = await harness.settle()
    assert wake is not None
    assert len(harness.in_state(TrialState.PENDING)) == 2

    over(harness, MemoryJobs())
    harness.now = wake
    await harness.settle()
    assert len(harness.in_state(TrialState.RUNNING)) == 2


async def test_failures_are_reported_and_retried_after_longer_waits_up_to_a_minute() -> None:
    refusing = Refusing()
    refusing.error = Unavailable("the API server is away")
    harness = over(ExperimentHarness(experiment()), refusing)
    await harness.settle()
    key = key_of(harness.trials[0])

    waits = []
    for _ in range(12):
        wake = await harness.driver.trial(key, harness.now)
        assert wake is not None
        waits.append((wake - harness.now).total_seconds())

    assert waits == sorted(waits)
    assert waits[0] < 5
    assert waits[-1] == 60
    message = harness.memory.events.all[-1].message
    assert message == "Failed to reconcile, and will try again: the API server is away"


async def test_what_is_not_there_is_left_alone() -> None:
    harness = ExperimentHarness()

    assert await harness.driver.experiment(KEY, harness.now) is None
    assert await harness.driver.trial(KEY, harness.now) is None


async def test_an_early_stop_of_a_trial_that_is_not_there_is_refused() -> None:
    harness = ExperimentHarness(experiment())

    with pytest.raises(UserError, match="trial ns/nope does not exist"):
        await harness.driver.stop_early(Key(namespace="ns", name="nope"), harness.now)


async def test_a_store_that_is_away_holds_no_deleted_trial_for_ever() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()
    trial = harness.trials[0]
    await harness.memory.objects.delete(trial)
    harness.memory.observations.away = "connection refused"
    key = key_of(trial)

    await harness.driver.trial(key, harness.now)
    wake = await harness.driver.trial(key, harness.now)
    assert wake is not None
    assert key in harness.memory.objects.all_trials

    later = harness.now + harness.policy.deletion_grace
    again = await harness.driver.trial(key, later)
    assert key not in harness.memory.objects.all_trials
    assert again == later + timedelta(seconds=10)


async def test_the_rows_of_a_deleted_trial_are_deleted_when_the_store_answers_again() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()
    trial = harness.trials[0]
    await harness.memory.objects.delete(trial)
    rows = harness.memory.observations.metrics
    rows[key_of(trial)] = loss("1")
    harness.memory.observations.away = "connection refused"
    key, later = key_of(trial), harness.now + harness.policy.deletion_grace
    again = await harness.driver.trial(key, later)
    assert again is not None
    assert await harness.driver.trial(key, again) == again + timedelta(seconds=20)
    assert key in rows

    harness.memory.observations.away = ""
    assert await harness.driver.trial(key, again) is None
    assert key not in rows


async def test_a_new_trial_of_the_same_name_keeps_its_rows() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()
    trial = harness.trials[0]
    rows = harness.memory.observations.metrics
    rows[key_of(trial)] = loss("1")
    leftovers = LeftoverRows(harness.memory.observations, NoLeftoverRecord())
    await leftovers.add(trial)

    leftovers.exists(replace(trial, metadata=replace(trial.metadata, uid="another")))

    assert await leftovers.deleted(key_of(trial), harness.now) is None
    assert key_of(trial) in rows


async def test_a_view_says_what_a_vanished_job_was() -> None:
    harness = ExperimentHarness(experiment())
    await harness.settle()
    trial = harness.trials[0]
    harness.succeed(trial, "1")
    facts = harness.memory.jobs.facts[key_of(trial)]
    harness.memory.jobs.facts[key_of(trial)] = JobFacts(document=facts.document, gone=True)

    await harness.settle(seconds=1)

    assert harness.in_state(TrialState.SUCCEEDED)[0].metadata.name == trial.metadata.name
