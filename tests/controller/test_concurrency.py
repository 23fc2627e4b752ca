"""Calls whose order does not matter."""

from __future__ import annotations

import asyncio
import random

import pytest

from api.errors import Unavailable
from api.types import Suggestion, Trial
from controller.concurrency import run_concurrently
from controller.driver.action_runner import RunCalls, sequentially
from controller.driver.driver import Driver
from controller.driver.memory_objects import MemoryObjects
from tests.controller.experiment_harness import KEY, ExperimentHarness, experiment
from tests.polling import SECONDS


class Slow(MemoryObjects):
    """Trials are created once three of them are on their way; the first of all may be refused."""

    refused = 0

    def __init__(self, inner: MemoryObjects) -> None:
        vars(self).update(vars(inner))
        self.on_their_way = asyncio.Barrier(3)

    async def create(self, item: Suggestion | Trial) -> None:
        if isinstance(item, Trial):
            await self.on_their_way.wait()
            if self.refused:
                self.refused -= 1
                raise Unavailable("not now")
        await super().create(item)


def world_of(refused: int = 0) -> tuple[ExperimentHarness, Slow]:
    harness = ExperimentHarness(experiment(parallel_trial_count=3))
    slow = harness.memory.objects = Slow(harness.memory.objects)
    slow.refused = refused
    harness.driver = Driver(
        harness.memory.ports(), random.Random(1), harness.policy, run_concurrently
    )
    return harness, slow


async def test_trials_are_created_side_by_side() -> None:
    harness, _ = world_of()

    async with asyncio.timeout(SECONDS):
        await harness.settle()

    assert len(harness.trials) == 3


async def test_of_trials_created_side_by_side_those_that_failed_are_tried_again() -> None:
    harness, slow = world_of(refused=1)

    async with asyncio.timeout(SECONDS):
        again = await harness.driver.experiment(KEY, harness.now)
        made = {trial.metadata.name for trial in harness.trials}
        assert len(made) == 2
        assert again is not None
        slow.on_their_way = asyncio.Barrier(1)
        await harness.settle(seconds=1)

    names = {trial.metadata.name for trial in harness.trials}
    assert len(names) == 3
    assert made < names


@pytest.mark.parametrize(("together", "made"), [(sequentially, 4), (run_concurrently, 10)])
async def test_after_a_failure_no_further_call_is_begun(together: RunCalls, made: int) -> None:
    begun = 0

    async def call(number: int) -> None:
        nonlocal begun
        begun += 1
        if number == 3:
            raise Unavailable("not now")

    with pytest.raises(Unavailable, match="not now"):
        await together(map(call, range(25)))
    assert begun == made


@pytest.mark.parametrize("together", [sequentially, run_concurrently])
async def test_all_calls_are_made(together: RunCalls) -> None:
    made: list[int] = []

    async def call(number: int) -> None:
        made.append(number)

    await together(map(call, range(25)))
    assert made == list(range(25))
