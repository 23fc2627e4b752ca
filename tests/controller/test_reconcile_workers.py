"""Reconciles: several concurrently, never two of one object, at the time that the last one returned."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from api.errors import SetupError
from controller.guarded_reconcile import guarded_reconcile
from controller.metrics import Metrics
from controller.reconcile.views import Key
from controller.reconcile_workers import ReconcileWorkers
from tests.virtual_time import in_virtual_time

A, B = Key(namespace="ns", name="a"), Key(namespace="ns", name="b")


class Reconciles:
    """Turns that take their time, and what was going on at once."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self.begun: list[tuple[float, str]] = []
        self.ended: list[str] = []
        self.running: list[str] = []
        self.most = 0
        self.wake: timedelta | None = None
        self.fault: Exception | None = None

    async def reconcile(self, key: Key, now: datetime) -> datetime | None:
        assert key.name not in self.running
        self.begun.append((round(asyncio.get_running_loop().time() - 1000, 3), key.name))
        self.running.append(key.name)
        self.most = max(self.most, len(self.running))
        try:
            await asyncio.sleep(self.seconds)
            if self.fault:
                raise self.fault
        finally:
            self.running.remove(key.name)
        self.ended.append(key.name)
        return None if self.wake is None else now + self.wake


@asynccontextmanager
async def working(
    reconciles: Reconciles, at_once: int = 9
) -> AsyncIterator[tuple[ReconcileWorkers, Metrics]]:
    metrics = Metrics()
    workers = ReconcileWorkers(
        guarded_reconcile("trial", reconciles.reconcile, metrics), at_once=at_once
    )
    metrics.watch_queue("trial", workers.depth)
    task = asyncio.create_task(workers.run())
    try:
        yield workers, metrics
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def situation(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Let a test run in virtual time."""

    def run() -> None:
        async def inside() -> None:
            await test()

        in_virtual_time(inside())

    return run


@situation
async def test_events_of_one_object_are_merged_and_its_reconciles_follow_each_other() -> None:
    reconciles = Reconciles()
    async with working(reconciles) as (workers, _):
        for _ in range(5):
            workers.add(A)
        workers.add(B)
        await asyncio.sleep(0.5)
        for _ in range(5):
            workers.add(A)
        await asyncio.sleep(10)

    assert reconciles.begun == [(0, "a"), (0, "b"), (1, "a")]


@situation
async def test_only_so_many_are_reconciled_at_a_time() -> None:
    reconciles = Reconciles()
    async with working(reconciles, at_once=3) as (workers, _):
        for number in range(10):
            workers.add(Key(namespace="ns", name=str(number)))
        await asyncio.sleep(10)

    assert (reconciles.most, len(reconciles.ended)) == (3, 10)


@situation
async def test_a_reconcile_returns_the_moment_of_the_next() -> None:
    reconciles = Reconciles()
    reconciles.wake = timedelta(seconds=30)
    async with working(reconciles) as (workers, _):
        workers.add(A)
        await asyncio.sleep(80)

    assert [moment for moment, _ in reconciles.begun] == [0, 30, 60]


@situation
async def test_an_internal_error_delays_its_object_by_half_a_minute_and_no_other() -> None:
    reconciles = Reconciles()
    reconciles.fault = ValueError("internal")
    async with working(reconciles) as (workers, metrics):
        workers.add(A)
        await asyncio.sleep(5)
        reconciles.fault = None
        workers.add(B)
        await asyncio.sleep(40)
        text = metrics.text().decode()

    assert reconciles.begun == [(0, "a"), (5, "b"), (30, "a")]
    assert 'trialwatch_controller_faults_total{kind="trial"} 1.0' in text
    assert 'trialwatch_controller_turn_seconds_count{kind="trial"} 3.0' in text


@situation
async def test_a_reconcile_that_is_interrupted_ends_and_a_new_one_begins_at_once() -> None:
    reconciles = Reconciles(seconds=300)
    async with working(reconciles) as (workers, _):
        workers.add(A)
        await asyncio.sleep(5)
        reconciles.seconds = 1
        workers.interrupt(A)
        workers.interrupt(A)
        await asyncio.sleep(5)

    assert reconciles.begun == [(0, "a"), (5, "a")]
    assert reconciles.ended == ["a"]


@situation
async def test_interrupting_an_object_that_is_not_reconciled_queues_it() -> None:
    reconciles = Reconciles()
    async with working(reconciles) as (workers, _):
        workers.interrupt(A)
        workers.interrupt(A)
        await asyncio.sleep(5)

    assert reconciles.begun == [(0, "a")]
    assert reconciles.ended == ["a"]


@situation
async def test_at_the_end_nothing_new_begins_and_what_is_under_way_is_finished() -> None:
    reconciles = Reconciles()
    workers = ReconcileWorkers(reconciles.reconcile, at_once=1)
    task = asyncio.create_task(workers.run())
    workers.add(A)
    workers.add(B)
    await asyncio.sleep(0.5)
    workers.end()
    await task

    assert (reconciles.begun, reconciles.ended) == ([(0, "a")], ["a"])


@situation
async def test_cancelled_it_cancels_what_is_under_way_even_what_was_just_interrupted() -> None:
    reconciles = Reconciles(seconds=300)
    workers = ReconcileWorkers(reconciles.reconcile, at_once=9)
    task = asyncio.create_task(workers.run())
    workers.add(A)
    workers.add(B)
    await asyncio.sleep(1)
    workers.interrupt(A)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (reconciles.running, reconciles.ended) == ([], [])


@situation
async def test_the_queue_s_depth_counts_who_waits() -> None:
    reconciles = Reconciles()
    async with working(reconciles, at_once=1) as (workers, metrics):
        workers.add(A)
        workers.add(B)
        await asyncio.sleep(0.5)
        text = metrics.text().decode()

    assert 'trialwatch_controller_queue_depth{kind="trial"} 1.0' in text


@situation
async def test_an_error_of_an_unguarded_reconcile_ends_all_workers() -> None:
    reconciles = Reconciles()
    reconciles.fault = SetupError("the disk is full")
    workers = ReconcileWorkers(reconciles.reconcile, at_once=1)
    workers.add(A)
    workers.add(B)

    with pytest.raises(SetupError, match="the disk is full"):
        await workers.run()

    assert reconciles.begun == [(0, "a")]


@situation
async def test_it_is_idle_while_nothing_is_reconciled_and_nothing_is_due() -> None:
    reconciles = Reconciles()
    reconciles.wake = timedelta(seconds=30)
    async with working(reconciles) as (workers, _):
        idle = [workers.idle]
        workers.add(A)
        idle.append(workers.idle)
        await asyncio.sleep(0.5)
        idle.append(workers.idle)
        await asyncio.sleep(5)
        idle.append(workers.idle)

    assert idle == [True, False, False, True]
