"""A running trial shows its latest values from time to time, and they do not count."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from api.errors import RemoteError
from api.types import Observation, ObservedMetric, Trial
from controller.driver.driver import Driver
from controller.driver.memory import MemoryObservations
from controller.reconcile.actions import Action, ReadLatest, WakeAt, WriteStatus
from controller.reconcile.latest_values import LatestValueReads, show_latest_values
from controller.reconcile.trial_states import TrialState
from controller.reconcile.trials import reconcile_trial
from controller.reconcile.views import (
    JobFacts,
    MetricSummary,
    Policy,
    StoredMetrics,
    StoreUnavailable,
    TrialView,
    key_of,
)
from tests.controller.experiment_harness import JOB, START, ExperimentHarness, experiment, loss
from tests.controller.reconcile.test_trials import BROKEN, at_work

TEN = timedelta(seconds=10)
SHOWN = Observation(metrics=(ObservedMetric(name="loss", min="0.5", max="0.9", latest="0.5"),))


def named(name: str) -> Trial:
    item = at_work()
    return replace(item, metadata=replace(item.metadata, name=name))


def due(
    item: Trial, now: datetime, *, asked: datetime | None = START, latest: object = None
) -> tuple[Action, ...]:
    facts = JobFacts(document=JOB)
    view = TrialView(trial=item, job=facts, latest_read_at=asked, latest=latest)  # type: ignore[arg-type]
    return show_latest_values(view, now, TEN)


def showing(trial: Trial) -> str | None:
    observation = trial.status.observation
    return observation.metrics[0].latest if observation else None


def best_of(harness: ExperimentHarness) -> str | None:
    best = harness.experiment.status.optimal_trial
    return best.observation.metrics[0].latest if best else None


def versions(harness: ExperimentHarness) -> list[str]:
    return [trial.metadata.resource_version for trial in harness.trials]


async def running_world(**spec: object) -> ExperimentHarness:
    harness = ExperimentHarness(experiment(**spec))  # type: ignore[arg-type]
    await harness.settle()
    return harness


# -- the beat -------------------------------------------------------------------------------


def test_a_store_is_asked_once_in_each_beat_and_not_at_the_first_sight_of_a_trial() -> None:
    item = at_work()
    [wake] = due(item, START)
    assert isinstance(wake, WakeAt)
    assert START < wake.moment <= START + TEN

    assert due(item, wake.moment) == (ReadLatest(trial=item),)

    [after] = due(item, wake.moment, asked=wake.moment)
    assert after == WakeAt(moment=wake.moment + TEN)


def test_a_thousand_trials_are_spread_over_the_beat() -> None:
    moments = Counter(
        int((wake.moment - START).total_seconds())
        for number in range(1000)
        for wake in due(named(f"exp-{number}"), START)
        if isinstance(wake, WakeAt)
    )

    assert set(moments) <= set(range(11))
    assert max(moments.values()) < 150, "a hundred each second, give or take chance"


@pytest.mark.parametrize("interval", [None, timedelta(0)])
def test_without_an_interval_nothing_is_asked(interval: timedelta | None) -> None:
    view = TrialView(trial=at_work(), job=JobFacts(document=JOB), latest_read_at=START)

    assert show_latest_values(view, START + 9 * TEN, interval) == ()


# -- what is written ------------------------------------------------------------------------


def test_other_values_are_written_as_the_store_has_them() -> None:
    [write, wake] = due(at_work(), START, latest=StoredMetrics(metrics=loss("0.9", "0.5")))

    assert isinstance(write, WriteStatus)
    assert isinstance(write.target, Trial)
    assert write.target.status.observation == SHOWN
    assert write.target.status.conditions == at_work().status.conditions
    assert isinstance(wake, WakeAt)


@pytest.mark.parametrize(
    "latest",
    [StoredMetrics(metrics=loss("0.9", "0.5")), StoredMetrics(), StoreUnavailable(cause="down")],
)
def test_equal_values_none_and_a_store_that_is_away_make_no_write(latest: object) -> None:
    item = at_work()
    item = replace(item, status=replace(item.status, observation=SHOWN))

    [only] = due(item, START, latest=latest)

    assert isinstance(only, WakeAt)


async def test_values_appear_while_the_trial_runs_and_an_unchanged_one_is_not_written_again() -> (
    None
):
    harness = await running_world()
    trial = harness.trials[0]
    harness.memory.observations.metrics[key_of(trial)] = loss("0.9")
    await harness.settle(seconds=10)
    assert showing(harness.trials[0]) == "0.9"

    before = versions(harness)
    for _ in range(6):
        await harness.settle(seconds=10)
    assert versions(harness) == before
    assert harness.memory.observations.asked_live.count(key_of(trial)) == 7

    harness.memory.observations.metrics[key_of(trial)] = loss("0.9", "0.5")
    await harness.settle(seconds=10)
    assert showing(harness.trials[0]) == "0.5"


async def test_turns_for_other_reasons_ask_no_more_often() -> None:
    harness = await running_world()
    for _ in range(100):
        await harness.settle(seconds=0.1)

    assert set(Counter(harness.memory.observations.asked_live).values()) == {1}


# -- a store that is away -------------------------------------------------------------------


async def test_a_store_that_is_away_is_no_trouble_and_is_asked_by_one_trial_only() -> None:
    harness = await running_world(max_trial_count=40, parallel_trial_count=40)
    harness.memory.observations.away = "connection refused"
    before = versions(harness)
    for _ in range(100):
        await harness.settle(seconds=0.1)

    assert versions(harness) == before
    assert harness.memory.events.all
    assert all(event.reason != "ReconcileError" for event in harness.memory.events.all)
    assert len(harness.memory.observations.asked_live) <= 2

    harness.memory.observations.away = ""
    trial = harness.trials[0]
    harness.memory.observations.metrics[key_of(trial)] = loss("0.9")
    await harness.settle(seconds=20)
    assert showing(harness.trials[0]) == "0.9"


async def test_a_store_that_hangs_delays_a_few_reconciles_only() -> None:
    reads, hanging = LatestValueReads(), asyncio.Event()

    async def ask(_: Trial) -> Sequence[MetricSummary]:
        await hanging.wait()
        return loss("0.5")

    first = [asyncio.create_task(reads.read(named(f"t-{n}"), START, ask, TEN)) for n in range(4)]
    await asyncio.sleep(0)
    over = await reads.read(named("t-5"), START, ask, TEN)
    assert isinstance(over, StoreUnavailable)

    hanging.set()
    assert await asyncio.gather(*first) == [StoredMetrics(metrics=loss("0.5"))] * 4
    assert await reads.read(named("t-5"), START, ask, TEN) == StoredMetrics(metrics=loss("0.5"))


async def test_a_store_that_refuses_one_question_is_asked_the_others() -> None:
    reads = LatestValueReads()

    async def ask(item: Trial) -> Sequence[MetricSummary]:
        if item.metadata.name == "bad":
            raise RemoteError("its name is ambiguous")
        return loss("0.5")

    assert isinstance(await reads.read(named("bad"), START, ask, TEN), StoreUnavailable)
    assert await reads.read(named("good"), START, ask, TEN) == StoredMetrics(metrics=loss("0.5"))


# -- and they do not count ------------------------------------------------------------------


async def test_a_running_trial_is_never_the_best_and_never_reaches_the_goal() -> None:
    harness = await running_world(goal=0.1)
    trial = harness.trials[0]
    harness.memory.observations.metrics[key_of(trial)] = loss("0.01")
    await harness.settle(seconds=10)

    assert showing(harness.trials[0]) == "0.01"
    assert best_of(harness) is None
    assert harness.experiment.status.conditions[-1].type == "Running"

    harness.succeed(trial, "0.01")
    await harness.settle(seconds=1)
    assert harness.experiment.status.conditions[-1].reason == "ExperimentGoalReached"


async def test_a_search_gets_the_values_of_ended_trials_only() -> None:
    harness = await running_world()
    first, second = harness.trials
    harness.memory.observations.metrics[key_of(second)] = loss("0.01")
    await harness.settle(seconds=10)
    harness.succeed(first, "0.5")
    await harness.settle(seconds=1)

    _, sent, _, _ = harness.memory.suggestions.asked[-1]
    assert [showing(trial) for trial in sent] == ["0.5", None]
    assert showing(harness.memory.objects.all_trials[key_of(second)]) == "0.01"


async def test_one_that_fails_keeps_what_was_seen_and_does_not_count() -> None:
    harness = await running_world()
    trial = harness.trials[0]
    harness.memory.observations.metrics[key_of(trial)] = loss("0.01")
    await harness.settle(seconds=10)
    harness.fail(trial)
    await harness.settle(seconds=1)

    (failed,) = harness.in_state(TrialState.FAILED)
    assert showing(failed) == "0.01"
    assert best_of(harness) is None
    _, sent, _, _ = harness.memory.suggestions.asked[-1]
    assert [showing(trial) for trial in sent] == [None, None]


async def test_one_that_was_stopped_early_counts_when_it_has_come_to_its_end() -> None:
    harness = await running_world()
    trial = harness.trials[0]
    harness.memory.observations.metrics[key_of(trial)] = loss("0.3")
    await harness.settle(seconds=10)
    await harness.driver.stop_early(key_of(trial), harness.now)
    await harness.settle()
    assert best_of(harness) is None

    harness.succeed(trial, "0.3", "0.2")
    await harness.settle(seconds=1)

    assert best_of(harness) == "0.2"


async def test_where_the_store_is_lost_an_early_stopped_trial_keeps_what_was_seen_last() -> None:
    harness = await running_world()
    trial = harness.trials[0]
    harness.memory.observations.metrics[key_of(trial)] = loss("0.3")
    await harness.settle(seconds=10)
    harness.memory.observations.away = "connection refused"
    await harness.driver.stop_early(key_of(trial), harness.now)
    harness.end(trial, "Complete")
    await harness.settle(seconds=1)
    await harness.settle(seconds=600)

    (stopped,) = harness.in_state(TrialState.EARLY_STOPPED)
    assert showing(stopped) == "0.3"
    assert stopped.status.completion_time
    warnings = [e.message for e in harness.memory.events.all if e.reason == "MetricsUnavailable"]
    assert len(warnings) == 1
    assert "connection refused" in warnings[0]


async def test_values_read_before_the_end_never_stand_for_those_at_the_end() -> None:
    harness = await running_world()
    trial = harness.trials[0]

    class EndsMeanwhile(MemoryObservations):
        async def latest(self, trial: Trial) -> Sequence[MetricSummary]:
            found = await super().latest(trial)
            harness.succeed(trial, "0.9", "0.1")
            return found

    store = EndsMeanwhile()
    store.metrics[key_of(trial)] = loss("0.9")
    harness.memory.observations = store
    harness.driver = Driver(harness.memory.ports(), random.Random(1), Policy())
    await harness.settle()
    await harness.settle(seconds=10)

    ended = harness.memory.objects.all_trials[key_of(trial)]
    assert showing(ended) == "0.1"
    assert ended.status.conditions[-1].type == "Succeeded"


def test_a_job_that_has_failed_is_not_asked_about() -> None:
    view = TrialView(trial=at_work(), job=JobFacts(document=BROKEN), latest_read_at=START)
    actions = reconcile_trial(view, START + 9 * TEN, Policy())

    assert not any(isinstance(action, ReadLatest) for action in actions)
