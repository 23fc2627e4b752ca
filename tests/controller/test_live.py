"""A trial that runs shows its latest values, now and then, and they are no answer."""

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
from controller.driver.drive import Driver
from controller.driver.memory import MemoryObservations
from controller.reconcile.actions import Action, ReadLatest, WakeAt, WriteStatus
from controller.reconcile.live import LatestReads, latest_shown
from controller.reconcile.trial_states import State
from controller.reconcile.trials import reconcile_trial
from controller.reconcile.views import (
    JobFacts,
    MetricSummary,
    Policy,
    StoreAway,
    Stored,
    TrialView,
    key_of,
)
from tests.controller.test_trials import BROKEN, at_work
from tests.controller.worlds import JOB, START, World, experiment, loss

TEN = timedelta(seconds=10)
SHOWN = Observation(metrics=(ObservedMetric(name="loss", min="0.5", max="0.9", latest="0.5"),))


def named(name: str) -> Trial:
    item = at_work()
    return replace(item, metadata=replace(item.metadata, name=name))


def due(
    item: Trial, now: datetime, *, asked: datetime | None = START, latest: object = None
) -> tuple[Action, ...]:
    facts = JobFacts(document=JOB)
    view = TrialView(trial=item, job=facts, asked=asked, latest=latest)  # type: ignore[arg-type]
    return latest_shown(view, now, TEN)


def showing(trial: Trial) -> str | None:
    observation = trial.status.observation
    return observation.metrics[0].latest if observation else None


def best_of(world: World) -> str | None:
    best = world.experiment.status.optimal_trial
    return best.observation.metrics[0].latest if best else None


def versions(world: World) -> list[str]:
    return [trial.metadata.resource_version for trial in world.trials]


async def running_world(**spec: object) -> World:
    world = World(experiment(**spec))  # type: ignore[arg-type]
    await world.settle()
    return world


# -- the beat -----------------------------------------------------------------------------------


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
    view = TrialView(trial=at_work(), job=JobFacts(document=JOB), asked=START)

    assert latest_shown(view, START + 9 * TEN, interval) == ()


# -- what is written ----------------------------------------------------------------------------


def test_other_values_are_written_as_the_store_has_them() -> None:
    [write, wake] = due(at_work(), START, latest=Stored(metrics=loss("0.9", "0.5")))

    assert isinstance(write, WriteStatus)
    assert isinstance(write.target, Trial)
    assert write.target.status.observation == SHOWN
    assert write.target.status.conditions == at_work().status.conditions
    assert isinstance(wake, WakeAt)


@pytest.mark.parametrize(
    "latest", [Stored(metrics=loss("0.9", "0.5")), Stored(), StoreAway(cause="down")]
)
def test_equal_values_none_and_a_store_that_is_away_make_no_write(latest: object) -> None:
    item = at_work()
    item = replace(item, status=replace(item.status, observation=SHOWN))

    [only] = due(item, START, latest=latest)

    assert isinstance(only, WakeAt)


async def test_values_appear_while_the_trial_runs_and_an_unchanged_one_is_not_written_again() -> (
    None
):
    world = await running_world()
    trial = world.trials[0]
    world.memory.observations.metrics[key_of(trial)] = loss("0.9")
    await world.settle(seconds=10)
    assert showing(world.trials[0]) == "0.9"

    before = versions(world)
    for _ in range(6):
        await world.settle(seconds=10)
    assert versions(world) == before
    assert world.memory.observations.asked_live.count(key_of(trial)) == 7

    world.memory.observations.metrics[key_of(trial)] = loss("0.9", "0.5")
    await world.settle(seconds=10)
    assert showing(world.trials[0]) == "0.5"


async def test_turns_for_other_reasons_ask_no_more_often() -> None:
    world = await running_world()
    for _ in range(100):
        await world.settle(seconds=0.1)

    assert set(Counter(world.memory.observations.asked_live).values()) == {1}


# -- a store that is away -----------------------------------------------------------------------


async def test_a_store_that_is_away_is_no_trouble_and_is_asked_by_one_trial_only() -> None:
    world = await running_world(max_trial_count=40, parallel_trial_count=40)
    world.memory.observations.away = "connection refused"
    before = versions(world)
    for _ in range(100):
        await world.settle(seconds=0.1)

    assert versions(world) == before
    assert world.memory.events.all
    assert all(event.reason != "ReconcileError" for event in world.memory.events.all)
    assert len(world.memory.observations.asked_live) <= 2

    world.memory.observations.away = ""
    trial = world.trials[0]
    world.memory.observations.metrics[key_of(trial)] = loss("0.9")
    await world.settle(seconds=20)
    assert showing(world.trials[0]) == "0.9"


async def test_a_store_that_hangs_holds_up_a_few_turns_only() -> None:
    reads, hanging = LatestReads(), asyncio.Event()

    async def ask(_: Trial) -> Sequence[MetricSummary]:
        await hanging.wait()
        return loss("0.5")

    first = [asyncio.create_task(reads.read(named(f"t-{n}"), START, ask, TEN)) for n in range(4)]
    await asyncio.sleep(0)
    over = await reads.read(named("t-5"), START, ask, TEN)
    assert isinstance(over, StoreAway)

    hanging.set()
    assert await asyncio.gather(*first) == [Stored(metrics=loss("0.5"))] * 4
    assert await reads.read(named("t-5"), START, ask, TEN) == Stored(metrics=loss("0.5"))


async def test_a_store_that_refuses_one_question_is_asked_the_others() -> None:
    reads = LatestReads()

    async def ask(item: Trial) -> Sequence[MetricSummary]:
        if item.metadata.name == "bad":
            raise RemoteError("its name is ambiguous")
        return loss("0.5")

    assert isinstance(await reads.read(named("bad"), START, ask, TEN), StoreAway)
    assert await reads.read(named("good"), START, ask, TEN) == Stored(metrics=loss("0.5"))


# -- and it is no answer ------------------------------------------------------------------------


async def test_a_running_trial_is_never_the_best_and_never_reaches_the_goal() -> None:
    world = await running_world(goal=0.1)
    trial = world.trials[0]
    world.memory.observations.metrics[key_of(trial)] = loss("0.01")
    await world.settle(seconds=10)

    assert showing(world.trials[0]) == "0.01"
    assert best_of(world) is None
    assert world.experiment.status.conditions[-1].type == "Running"

    world.succeed(trial, "0.01")
    await world.settle(seconds=1)
    assert world.experiment.status.conditions[-1].reason == "ExperimentGoalReached"


async def test_a_search_is_told_the_values_of_those_that_have_ended_only() -> None:
    world = await running_world()
    first, second = world.trials
    world.memory.observations.metrics[key_of(second)] = loss("0.01")
    await world.settle(seconds=10)
    world.succeed(first, "0.5")
    await world.settle(seconds=1)

    _, told, _, _ = world.memory.suggestions.asked[-1]
    assert [showing(trial) for trial in told] == ["0.5", None]
    assert showing(world.memory.objects.all_trials[key_of(second)]) == "0.01"


async def test_one_that_fails_keeps_what_was_seen_and_does_not_count() -> None:
    world = await running_world()
    trial = world.trials[0]
    world.memory.observations.metrics[key_of(trial)] = loss("0.01")
    await world.settle(seconds=10)
    world.fail(trial)
    await world.settle(seconds=1)

    (failed,) = world.in_state(State.FAILED)
    assert showing(failed) == "0.01"
    assert best_of(world) is None
    _, told, _, _ = world.memory.suggestions.asked[-1]
    assert [showing(trial) for trial in told] == [None, None]


async def test_one_that_was_stopped_early_counts_when_it_has_come_to_its_end() -> None:
    world = await running_world()
    trial = world.trials[0]
    world.memory.observations.metrics[key_of(trial)] = loss("0.3")
    await world.settle(seconds=10)
    await world.driver.stop_early(key_of(trial), world.now)
    await world.settle()
    assert best_of(world) is None

    world.succeed(trial, "0.3", "0.2")
    await world.settle(seconds=1)

    assert best_of(world) == "0.2"


async def test_where_the_store_is_lost_an_early_stopped_trial_keeps_what_was_seen_last() -> None:
    world = await running_world()
    trial = world.trials[0]
    world.memory.observations.metrics[key_of(trial)] = loss("0.3")
    await world.settle(seconds=10)
    world.memory.observations.away = "connection refused"
    await world.driver.stop_early(key_of(trial), world.now)
    world.end(trial, "Complete")
    await world.settle(seconds=1)
    await world.settle(seconds=600)

    (stopped,) = world.in_state(State.EARLY_STOPPED)
    assert showing(stopped) == "0.3"
    assert stopped.status.completion_time
    warnings = [e.message for e in world.memory.events.all if e.reason == "MetricsUnavailable"]
    assert len(warnings) == 1
    assert "connection refused" in warnings[0]


async def test_values_read_before_the_end_never_stand_for_those_at_the_end() -> None:
    world = await running_world()
    trial = world.trials[0]

    class EndsMeanwhile(MemoryObservations):
        async def latest(self, trial: Trial) -> Sequence[MetricSummary]:
            found = await super().latest(trial)
            world.succeed(trial, "0.9", "0.1")
            return found

    store = EndsMeanwhile()
    store.metrics[key_of(trial)] = loss("0.9")
    world.memory.observations = store
    world.driver = Driver(world.memory.ports(), random.Random(1), Policy())
    await world.settle()
    await world.settle(seconds=10)

    ended = world.memory.objects.all_trials[key_of(trial)]
    assert showing(ended) == "0.1"
    assert ended.status.conditions[-1].type == "Succeeded"


def test_a_job_that_has_failed_is_not_asked_about() -> None:
    view = TrialView(trial=at_work(), job=JobFacts(document=BROKEN), asked=START)
    actions = reconcile_trial(view, START + 9 * TEN, Policy())

    assert not any(isinstance(action, ReadLatest) for action in actions)
