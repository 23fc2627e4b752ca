"""Leader election: one at a time, whatever happens to replicas, clocks and API server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from api.errors import Unavailable
from api.types import JsonObject
from kube.cluster import Ref
from kube.errors import Forbidden
from kube.leader_election import LEASE_API, ElectionRuntime, LeaderElection, LeaseTimes
from kube.testing.memory import MemoryCluster
from tests.virtual_time import in_virtual_time

LEASE = Ref(api_version=LEASE_API, kind="Lease", namespace="kubeflow", name="it")
TIMES = LeaseTimes()
SEEDS = range(int(os.environ.get("TRIALWATCH_EXAMPLES", "2000")) // 100)


class Weather(MemoryCluster):
    """A cluster that is away, or hangs, while a test wants it to."""

    def __init__(self) -> None:
        super().__init__(namespaces=("kubeflow",))
        self.away: Exception | None = None
        self.hangs = False

    async def _arrive(self) -> None:
        if self.hangs:
            await asyncio.sleep(10_000)
        if self.away is not None:
            raise self.away

    async def get(self, ref: Ref) -> JsonObject:
        await self._arrive()
        return await super().get(ref)

    async def create(self, document: JsonObject) -> JsonObject:
        await self._arrive()
        return await super().create(document)

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        await self._arrive()
        return await super().replace(document, status=status)


def replica(
    cluster: MemoryCluster, name: str, *, ahead: timedelta = timedelta(0)
) -> LeaderElection:
    """Make one whose calendar is `ahead` of others."""
    clock = asyncio.get_running_loop().time

    def now() -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC) + timedelta(seconds=clock() - 1000) + ahead

    around = ElectionRuntime(clock=clock, now=now, random=Random(name))
    return LeaderElection(cluster, LEASE, name, around)


async def seconds_of(work: Coroutine[Any, Any, object]) -> float:
    """Do it, and return how long it took."""
    clock = asyncio.get_running_loop().time
    started = clock()
    await work
    return clock() - started


def test_the_first_to_ask_leads_at_once_and_renews() -> None:
    async def situation() -> None:
        cluster = Weather()
        one = replica(cluster, "one")
        assert await seconds_of(one.acquire()) == 0
        keeping = asyncio.create_task(one.renew())
        await asyncio.sleep(3600)
        assert one.holds
        assert not keeping.done()
        keeping.cancel()

    in_virtual_time(situation())


def test_the_lease_is_as_client_go_writes_it() -> None:
    async def situation() -> None:
        cluster = Weather()
        one, two = replica(cluster, "one"), replica(cluster, "two")
        await one.acquire()
        await one.release()
        await two.acquire()
        lease: Any = await cluster.get(LEASE)
        assert lease["spec"] == {
            "holderIdentity": "two",
            "leaseDurationSeconds": 15,
            "acquireTime": "2026-01-02T00:00:00.000000Z",
            "renewTime": "2026-01-02T00:00:00.000000Z",
            "leaseTransitions": 1,
        }

    in_virtual_time(situation())


def test_whoever_waits_takes_over_when_the_leader_has_died_and_not_before() -> None:
    async def situation() -> None:
        cluster = Weather()
        one, two = replica(cluster, "one"), replica(cluster, "two")
        await one.acquire()
        took = await seconds_of(two.acquire())
        assert TIMES.duration <= took <= TIMES.duration + 2 * TIMES.retry
        assert not one.holds

    in_virtual_time(situation())


@pytest.mark.parametrize("hours", [-5, 5])
def test_clocks_that_differ_by_hours_change_nothing(hours: int) -> None:
    async def situation() -> None:
        cluster = Weather()
        one, two = replica(cluster, "one"), replica(cluster, "two", ahead=timedelta(hours=hours))
        await one.acquire()
        keeping = asyncio.create_task(one.renew())
        waiting = asyncio.create_task(two.acquire())
        await asyncio.sleep(600)
        assert one.holds
        assert not waiting.done()
        keeping.cancel()
        waiting.cancel()

    in_virtual_time(situation())


def test_a_lease_that_is_given_back_is_taken_within_three_seconds() -> None:
    async def situation() -> None:
        cluster = Weather()
        one, two = replica(cluster, "one"), replica(cluster, "two")
        await one.acquire()
        waiting = asyncio.create_task(seconds_of(two.acquire()))
        await asyncio.sleep(5)
        await one.release()
        assert not one.holds
        assert await waiting <= 5 + 3

    in_virtual_time(situation())


@pytest.mark.parametrize("how", ["away", "hangs", "forbidden"])
def test_a_leader_that_cannot_renew_knows_it_before_another_may_take_over(how: str) -> None:
    async def situation() -> None:
        cluster = Weather()
        one = replica(cluster, "one")
        await one.acquire()
        keeping = asyncio.create_task(seconds_of(one.renew()))
        await asyncio.sleep(1)
        cluster.hangs = how == "hangs"
        if how != "hangs":
            cluster.away = Unavailable("it is away") if how == "away" else Forbidden("not yours")
        assert await keeping <= TIMES.renew_deadline
        assert not one.holds
        assert one.trouble

    in_virtual_time(situation())


def test_a_short_absence_of_the_api_server_costs_nothing() -> None:
    async def situation() -> None:
        cluster = Weather()
        one = replica(cluster, "one")
        await one.acquire()
        keeping = asyncio.create_task(one.renew())
        await asyncio.sleep(1)
        cluster.away = Unavailable("it is away")
        await asyncio.sleep(6)
        cluster.away = None
        await asyncio.sleep(60)
        assert one.holds
        assert not one.trouble
        keeping.cancel()

    in_virtual_time(situation())


def test_a_lease_that_somebody_has_deleted_is_made_anew_by_its_holder() -> None:
    async def situation() -> None:
        cluster = Weather()
        one = replica(cluster, "one")
        await one.acquire()
        keeping = asyncio.create_task(one.renew())
        await asyncio.sleep(3)
        await cluster.delete(LEASE)
        await asyncio.sleep(60)
        assert one.holds
        keeping.cancel()

    in_virtual_time(situation())


def test_a_leader_from_whom_it_was_taken_sees_it_at_its_next_renewal() -> None:
    async def situation() -> None:
        cluster = Weather()
        one = replica(cluster, "one")
        await one.acquire()
        keeping = asyncio.create_task(seconds_of(one.renew()))
        await asyncio.sleep(1)
        await cluster.patch(LEASE, {"spec": {"holderIdentity": "kubectl"}})
        assert await keeping <= TIMES.retry
        assert (one.holds, one.holder) == (False, "kubectl")

    in_virtual_time(situation())


@dataclass
class Crowd:
    """Replicas that lead, lose, die and come again; and who led when."""

    cluster: Weather
    dice: Random
    leading: set[str] = field(default_factory=set)
    reigns: int = 0

    async def live(self, number: int) -> None:
        """Live one life after the other."""
        for life in range(10_000):
            one = replica(self.cluster, f"{number}-{life}")
            with_luck = self.dice.expovariate(1 / 120)
            try:
                async with asyncio.timeout(with_luck):
                    while True:
                        await one.acquire()
                        await self.reign(one)
            except TimeoutError:
                self.leading.discard(one.identity)
            if self.dice.random() < 0.3:
                await one.release()
            await asyncio.sleep(self.dice.uniform(0, 10))

    async def reign(self, one: LeaderElection) -> None:
        self.leading.add(one.identity)
        self.reigns += 1
        assert len(self.leading) == 1, self.leading
        await one.renew()
        self.leading.discard(one.identity)

    async def weather(self) -> None:
        while True:
            await asyncio.sleep(self.dice.expovariate(1 / 60))
            self.cluster.away = Unavailable("away")
            self.cluster.hangs = self.dice.random() < 0.5
            await asyncio.sleep(self.dice.expovariate(1 / 8))
            self.cluster.away, self.cluster.hangs = None, False


@pytest.mark.parametrize("seed", SEEDS)
def test_never_do_two_lead_at_a_time(seed: int) -> None:
    async def situation() -> None:
        crowd = Crowd(Weather(), Random(seed))
        tasks = [asyncio.create_task(crowd.live(number)) for number in range(3)]
        tasks.append(asyncio.create_task(crowd.weather()))
        await asyncio.wait(tasks, timeout=3600, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} == {asyncio.CancelledError}, ends
        assert crowd.reigns > 10

    in_virtual_time(situation())
