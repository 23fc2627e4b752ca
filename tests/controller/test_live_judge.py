"""The judge of a leader: it follows running trials, stops those that a rule names, and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from api.objects.trials import render_trial
from api.types import EarlyStoppingSpec, Setting, Trial
from controller.reconcile.trial_states import TrialState, state_of
from controller.reconcile.views import key_of
from stopping.successive_halving import SuccessiveHalving
from tests.controller.experiment_harness import experiment, loss
from tests.controller.leader_harness import LeaderHarness, RefusingCluster
from tests.controller.memory_points import MemoryPoints
from tests.virtual_time import in_virtual_time

ASHA = EarlyStoppingSpec(name="asha", settings=(Setting(name="reduction_factor", value="4"),))
ITEM = experiment(early_stopping=ASHA, max_trial_count=2, parallel_trial_count=2)


def judged(
    test: Callable[[LeaderHarness, MemoryPoints], Awaitable[None]],
) -> Callable[[], None]:
    """Let a test run in virtual time, with a harness and values of its own."""

    def run() -> None:
        async def inside() -> None:
            points = MemoryPoints()
            await test(LeaderHarness(RefusingCluster(), points=points), points)

        in_virtual_time(inside())

    return run


async def two_running(harness: LeaderHarness) -> tuple[str, str]:
    await harness.apply(ITEM)
    await asyncio.sleep(5)
    first, second = sorted(one.metadata.name for one in await harness.trials())
    return first, second


async def states(harness: LeaderHarness) -> dict[str, TrialState]:
    return {one.metadata.name: state_of(one) for one in await harness.trials()}


async def named(harness: LeaderHarness, name: str) -> Trial:
    return next(one for one in await harness.trials() if one.metadata.name == name)


@judged
async def test_the_worse_trial_is_stopped_within_a_second_and_its_job_is_deleted(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    async with harness.leading():
        good, bad = await two_running(harness)
        harness.memory.observations.metrics |= {
            key_of(one): loss("0.5") for one in await harness.trials()
        }
        await points.printed(good, 0.4)
        await asyncio.sleep(1)
        assert await states(harness) == {good: TrialState.RUNNING, bad: TrialState.RUNNING}

        await points.printed(bad, 0.6)
        await asyncio.sleep(1)

        assert await states(harness) == {good: TrialState.RUNNING, bad: TrialState.EARLY_STOPPED}
        message = (await named(harness, bad)).status.conditions[-1].message
        assert message == (
            "Trial is early stopped: asha: 1 of 2 trials had a better loss until step 1; the best"
            " 1 go on"
        )
        assert await harness.jobs() == [good]
        assert points.open == 1


@judged
async def test_values_of_a_failed_start_do_not_stop_a_trial(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    async with harness.leading():
        good, bad = await two_running(harness)
        points.of_failed_starts.add(bad)
        await points.printed(good, 0.4)
        await points.printed(bad, 0.6)
        await asyncio.sleep(5)
        assert await states(harness) == {good: TrialState.RUNNING, bad: TrialState.RUNNING}

        points.of_failed_starts.clear()
        await points.printed(bad, 0.6)
        await asyncio.sleep(1)

        assert (await states(harness))[bad] is TrialState.EARLY_STOPPED


@judged
async def test_a_store_that_is_away_for_a_while_delays_the_verdict(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    points.away = "it restarts"
    async with harness.leading():
        good, bad = await two_running(harness)
        await points.printed(good, 0.4)
        await points.printed(bad, 0.6)
        await asyncio.sleep(60)
        assert TrialState.EARLY_STOPPED not in (await states(harness)).values()

        points.away = ""
        await asyncio.sleep(60)

        assert (await states(harness))[bad] is TrialState.EARLY_STOPPED


@judged
async def test_a_new_leader_compares_with_the_trials_that_have_ended(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    async with harness.leading():
        good, bad = await two_running(harness)
        await points.printed(good, 0.4)
        await harness.train(good, "0.4")
        await asyncio.sleep(5)
    points.watched.clear()
    points.reads.clear()

    async with harness.leading():
        await asyncio.sleep(5)
        assert (points.watched, points.reads) == ([bad], [good])
        await points.printed(bad, 0.6)
        await asyncio.sleep(1)

        assert await states(harness) == {
            good: TrialState.SUCCEEDED,
            bad: TrialState.EARLY_STOPPED,
        }


@judged
async def test_the_rule_of_another_service_is_not_judged_here(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    harness.judges = False
    async with harness.leading():
        good, bad = await two_running(harness)
        await points.printed(good, 0.4)
        await points.printed(bad, 0.6)
        await asyncio.sleep(5)

        assert points.watched == []
        assert TrialState.EARLY_STOPPED not in (await states(harness)).values()


@judged
async def test_an_experiment_without_early_stopping_is_not_followed(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    async with harness.leading():
        await harness.apply(replace(ITEM, spec=replace(ITEM.spec, early_stopping=None)))
        await asyncio.sleep(5)

    assert points.watched == []


@judged
async def test_after_the_end_or_the_deletion_of_an_experiment_nothing_is_followed(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    async with harness.leading():
        await two_running(harness)
        assert points.open == 2

        await harness.delete()
        await asyncio.sleep(300)

        assert points.open == 0


@judged
async def test_a_trial_left_over_from_a_deleted_experiment_of_the_name_is_not_judged(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    async with harness.leading():
        good, bad = await two_running(harness)
        own = await named(harness, good)
        [owner] = own.metadata.owner_references
        metadata = replace(
            own.metadata,
            name="left-over",
            uid="",
            resource_version="",
            owner_references=(replace(owner, uid="of-the-deleted-one"),),
        )
        await harness.cluster.create(render_trial(replace(own, metadata=metadata)))
        await asyncio.sleep(5)

        assert sorted(points.watched) == [good, bad]


@judged
async def test_a_rule_that_raises_an_error_does_not_end_the_leader(
    harness: LeaderHarness, points: MemoryPoints
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with harness.leading():
        good, bad = await two_running(harness)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SuccessiveHalving, "judge", broken)
            await points.printed(good, 0.4)
            await points.printed(bad, 0.6)
            await asyncio.sleep(5)
        assert await states(harness) == {good: TrialState.RUNNING, bad: TrialState.RUNNING}

        await asyncio.sleep(60)

        assert (await states(harness))[bad] is TrialState.EARLY_STOPPED
