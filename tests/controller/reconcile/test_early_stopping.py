"""Early stopping, in every order in which a cluster may report it: one end, counted once."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from itertools import count, permutations, product

import pytest

from api.types import ConditionType, Trial, holds
from controller.driver.driver import Driver
from controller.reconcile.conditions import with_condition
from controller.reconcile.trial_states import (
    METRICS_AWAITED,
    TrialState,
    state_of,
    waiting_since,
)
from controller.reconcile.trial_transitions import (
    end_trial,
    mark_early_stopped,
    mark_not_running,
    mark_running,
)
from controller.reconcile.views import Key, Policy, key_of
from tests.controller.experiment_harness import KEY, START, ExperimentHarness, experiment, loss
from tests.controller.reconcile.test_trials import at_work, living

_VERSIONS = count(1_000_000)
EVENTS = ("told", "stored", "completed")
"""SetTrialStatus has been answered; the last value is in the store; the job is Complete."""
Tell = Callable[[ExperimentHarness, Key], Awaitable[None]]
ORDERS = [*permutations(EVENTS), *((*order, "gone") for order in permutations(EVENTS))]


def stopped_by_katib(trial: Trial, now: datetime) -> Trial:
    """Return a trial as Katib's service writes it: stopped early, whatever it was before."""
    words = ("TrialEarlyStopped", "Trial is early stopped")
    conditions = with_condition(trial.status.conditions, ConditionType.EARLY_STOPPED, words, now)
    return replace(
        trial,
        metadata=replace(trial.metadata, resource_version=str(next(_VERSIONS))),
        status=replace(trial.status, conditions=conditions),
    )


async def by_us(harness: ExperimentHarness, key: Key) -> None:
    await harness.driver.stop_early(key, harness.now)


async def by_katib(harness: ExperimentHarness, key: Key) -> None:
    trials = harness.memory.objects.all_trials
    trials[key] = stopped_by_katib(trials[key], harness.now)


def best_of(harness: ExperimentHarness) -> str | None:
    best = harness.experiment.status.optimal_trial
    return best.observation.metrics[0].min if best else None


class Stopping:
    """One trial of an experiment, and what happens to it."""

    def __init__(self, harness: ExperimentHarness, tell: Tell) -> None:
        self.harness, self.tell = harness, tell
        self.key = key_of(harness.trials[0])

    @property
    def trial(self) -> Trial:
        return self.harness.memory.objects.all_trials[self.key]

    async def happen(self, event: str) -> None:
        harness = self.harness
        match event:
            case "told":
                await self.tell(harness, self.key)
            case "stored":
                harness.memory.observations.metrics[self.key] = loss("0.9", "0.4")
            case "completed":
                harness.end(self.trial, "Complete")
            case _:
                jobs = harness.memory.jobs
                jobs.facts[self.key] = replace(jobs.facts[self.key], gone=True)

    async def look(self) -> None:
        """Give turns to a controller that was started just now; nothing is deleted unobserved."""
        harness = self.harness
        harness.driver = Driver(harness.memory.ports(), random.Random(1), harness.policy)
        await harness.settle(seconds=0.5)
        if self.key in harness.memory.jobs.deleted:
            observation = self.trial.status.observation
            assert observation is not None
            assert observation.metrics[0].min == "0.4"


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize("tell", [by_us, by_katib])
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
async def test_it_ends_once_with_its_last_value_and_its_job_goes_after_that(
    order: tuple[str, ...], tell: Tell, *, retain: bool
) -> None:
    for looks in product((False, True), repeat=len(order)):
        made = experiment(max_trial_count=1, parallel_trial_count=1)
        assert made.spec.trial_template is not None
        kept = replace(made.spec.trial_template, retain=retain)
        harness = ExperimentHarness(replace(made, spec=replace(made.spec, trial_template=kept)))
        await harness.settle()
        stopping = Stopping(harness, tell)
        for event, look in zip(order, looks, strict=True):
            await stopping.happen(event)
            if look:
                await stopping.look()
        for _ in range(4):
            await stopping.look()
            await harness.settle(seconds=1)

        trial, status = stopping.trial, harness.experiment.status
        state = state_of(trial)
        assert state in {TrialState.EARLY_STOPPED, TrialState.SUCCEEDED}
        if tell is by_us:
            assert holds(trial.status.conditions, ConditionType.EARLY_STOPPED) == (
                state is TrialState.EARLY_STOPPED
            )
        assert trial.status.completion_time
        assert trial.status.observation is not None
        assert trial.status.observation.metrics[0].min == "0.4"
        assert waiting_since(trial) is None
        assert (status.trials, status.trials_early_stopped + status.trials_succeeded) == (1, 1)
        assert status.optimal_trial is not None
        assert status.optimal_trial.observation == trial.status.observation
        there = harness.memory.jobs.facts[stopping.key].present
        assert there == (retain and "gone" not in order)
        assert len(harness.memory.jobs.created) == 1, "it was not made anew"


async def test_a_trial_that_was_asked_to_stop_and_does_not_end_is_ended_after_its_grace() -> None:
    harness = ExperimentHarness(experiment(), Policy())
    await harness.settle()
    trial = harness.trials[0]
    harness.memory.observations.metrics[key_of(trial)] = loss("0.9", "0.4")
    await harness.driver.stop_early(key_of(trial), harness.now)
    await harness.settle(seconds=30)
    assert key_of(trial) not in harness.memory.jobs.deleted

    await harness.settle(seconds=31)

    after = harness.memory.objects.all_trials[key_of(trial)]
    assert after.status.completion_time
    assert key_of(trial) in harness.memory.jobs.deleted


async def test_the_experiment_may_end_before_its_early_stopped_trial_is_observed() -> None:
    harness = ExperimentHarness(experiment(max_trial_count=1, parallel_trial_count=1))
    await harness.settle()
    trial = harness.trials[0]
    await harness.driver.stop_early(key_of(trial), harness.now)
    await harness.settle(seconds=1)
    assert harness.experiment.status.conditions[-1].reason == "ExperimentMaxTrialsReached"
    assert best_of(harness) is None

    harness.succeed(trial, "0.9", "0.4")
    await harness.settle(seconds=1)

    assert best_of(harness) == "0.4"
    assert harness.memory.objects.experiments[KEY].status.trials_early_stopped == 1


def test_of_two_ends_the_first_stays() -> None:
    unavailable = end_trial(at_work(), ConditionType.METRICS_UNAVAILABLE, START)
    stopped = mark_early_stopped(at_work(), START)

    assert mark_early_stopped(unavailable, START) is unavailable
    assert end_trial(stopped, ConditionType.METRICS_UNAVAILABLE, START) is stopped
    assert state_of(stopped_by_katib(unavailable, START)) is TrialState.METRICS_UNAVAILABLE
    assert state_of(stopped_by_katib(at_work(), START)) is TrialState.EARLY_STOPPED
    succeeded = end_trial(at_work(), ConditionType.SUCCEEDED, START)
    assert state_of(stopped_by_katib(succeeded, START)) is TrialState.SUCCEEDED


def test_a_trial_is_stopped_early_before_it_was_seen_to_run() -> None:
    stopped = mark_early_stopped(living(), START)

    assert state_of(stopped) is TrialState.EARLY_STOPPED
    assert mark_running(stopped, START) is stopped


# -- the rules that the controller judges ------------------------------------------------------

WHY = "asha: 3 of 4 trials have a better loss until step 4; the best 1 go on"


async def test_a_judged_trial_ends_with_its_job_and_keeps_what_was_measured() -> None:
    harness = ExperimentHarness(experiment(), Policy())
    await harness.settle()
    key = key_of(harness.trials[0])
    harness.memory.observations.metrics[key] = loss("0.9", "0.4")

    await harness.driver.stop_early(key, harness.now, WHY)
    await harness.settle(seconds=1)

    after = harness.memory.objects.all_trials[key]
    assert key in harness.memory.jobs.deleted
    assert (after.status.conditions[-1].reason, after.status.conditions[-1].message) == (
        "TrialStoppedByRule",
        f"Trial is early stopped: {WHY}",
    )
    assert after.status.completion_time
    assert best_of(harness) == "0.4"
    assert harness.experiment.status.trials_early_stopped == 1
    (event,) = [one for one in harness.memory.events.all if one.reason == "TrialEarlyStopped"]
    assert event.message == f"Trial is early stopped: {WHY}; its metrics are kept"


async def test_the_job_of_a_judged_trial_is_deleted_even_if_it_is_retained() -> None:
    made = experiment()
    assert made.spec.trial_template is not None
    kept = replace(made.spec.trial_template, retain=True)
    harness = ExperimentHarness(replace(made, spec=replace(made.spec, trial_template=kept)))
    await harness.settle()
    key = key_of(harness.trials[0])

    await harness.driver.stop_early(key, harness.now, WHY)
    await harness.settle(seconds=1)

    assert key in harness.memory.jobs.deleted


async def test_a_judged_trial_is_measured_after_its_pods_are_gone() -> None:
    """Its collector delivers its last values while the job is being deleted."""
    harness = ExperimentHarness(experiment(), Policy())
    await harness.settle()
    key = key_of(harness.trials[0])
    jobs = harness.memory.jobs
    document = jobs.facts[key].document
    assert document is not None
    jobs.facts[key] = replace(
        jobs.facts[key],
        document={**document, "metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}},
    )
    harness.memory.observations.metrics[key] = loss("0.9")

    await harness.driver.stop_early(key, harness.now, WHY)
    await harness.settle(seconds=1)
    assert harness.memory.objects.all_trials[key].status.completion_time is None

    harness.memory.observations.metrics[key] = loss("0.9", "0.4")
    jobs.facts[key] = replace(jobs.facts[key], gone=True)
    await harness.settle(seconds=1)

    assert best_of(harness) == "0.4"


def test_a_rule_does_not_stop_a_trial_that_has_ended_and_waits_for_its_metrics() -> None:
    waits = mark_not_running(at_work(), METRICS_AWAITED, "its metrics are awaited", START)

    assert mark_early_stopped(waits, START, "asha: 1 of 2") is waits
    assert state_of(mark_early_stopped(waits, START)) is TrialState.EARLY_STOPPED
