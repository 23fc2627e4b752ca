"""The cache of a watch: it keeps up with the cluster, whatever happens to its connection."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import tracemalloc
from random import Random
from typing import Any

import pytest

from api.errors import Unavailable
from api.types import JsonObject
from kube.cluster import Change, Ref, Scope
from kube.errors import Forbidden
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from kube.watch_cache import Pace, WatchCache
from tests.contracts.cluster import CONFIG_MAP, config_map, ref
from tests.kube.faulty_cluster import Faults, FaultyCluster
from tests.kube.test_client import plain
from tests.polling import beside, eventually

SCOPE = Scope(CONFIG_MAP)
SIZE = 5000
"""Bytes of an object that is to leave nothing behind."""
SEEDS = range(int(os.environ.get("TRIALWATCH_EXAMPLES", "2000")) // 100)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def pace(self, random: Random | None = None, **numbers: float) -> Pace:
        dice = random or Random(1)
        return Pace(clock=self.clock, sleep=self.sleep, random=dice, **numbers)


def colour(document: JsonObject) -> str:
    found: Any = document["data"]
    return str(found["colour"])


@pytest.fixture
def memory() -> MemoryCluster:
    return MemoryCluster(namespaces=("team", "other"))


# --- keeping up ---


async def test_what_was_there_and_what_comes_is_known_by_name(memory: MemoryCluster) -> None:
    await memory.create(config_map("old"))
    cache = WatchCache(memory, SCOPE, keep=colour)
    assert not cache.is_synced

    async with beside(cache.run()):
        await cache.synced()
        assert (len(cache), cache.get("team", "old")) == (1, "red")
        await memory.create(config_map("new"))
        await memory.patch(ref("old"), {"data": {"colour": "blue"}})
        await eventually(lambda: list(cache) == ["blue", "red"])
        assert cache.get("other", "old") is None
        await memory.delete(ref("old"))
        await eventually(lambda: cache.get("team", "old") is None)

    assert (cache.lists, cache.changes, cache.failures) == (1, 3, 0)


async def test_only_what_is_in_the_scope_is_known(memory: MemoryCluster) -> None:
    scope = Scope(CONFIG_MAP, "team", labels={"ours": "yes"})
    cache = WatchCache(memory, scope, keep=colour)
    async with beside(cache.run()):
        await cache.synced()
        await memory.create(config_map("one", labels={"ours": "yes"}))
        await memory.create(config_map("two", labels={"ours": "no"}))
        await memory.create(config_map("three", namespace="other", labels={"ours": "yes"}))
        await eventually(lambda: cache.get("team", "one") == "red")
        await memory.patch(ref("one"), {"metadata": {"labels": {"ours": "no"}}})
        await eventually(lambda: len(cache) == 0)


async def test_each_change_is_reported_once_it_can_be_read(memory: MemoryCluster) -> None:
    notified: list[tuple[str, str | None]] = []

    def note(changed: Ref) -> None:
        notified.append((changed.name, cache.get(changed.namespace, changed.name)))

    await memory.create(config_map("old"))
    cache = WatchCache(memory, SCOPE, keep=colour, changed=note)
    async with beside(cache.run()):
        await cache.synced()
        await memory.create(config_map("new"))
        await memory.delete(ref("old"))
        await eventually(lambda: len(notified) == 3)

    assert notified == [("old", "red"), ("new", "red"), ("old", None)]


async def test_of_what_was_deleted_the_last_document_is_handed_over(memory: MemoryCluster) -> None:
    left: list[tuple[str, str]] = []
    await memory.create(config_map("old"))
    cache = WatchCache(
        memory, SCOPE, keep=colour, gone=lambda ref, kept: left.append((ref.name, kept))
    )
    async with beside(cache.run()):
        await cache.synced()
        # What changes at the last moment may be told together with the end.
        await memory.patch(
            ref("old"), {"metadata": {"finalizers": ["a/b"]}, "data": {"colour": "blue"}}
        )
        await memory.delete(ref("old"))
        await memory.patch(ref("old"), {"metadata": {"finalizers": None}})
        await eventually(lambda: bool(left))

    assert left == [("old", "blue")]


async def test_of_what_went_while_nobody_watched_what_was_known_is_handed_over(
    memory: MemoryCluster,
) -> None:
    left: list[tuple[str, str]] = []
    for name in ("stays", "goes"):
        await memory.create(config_map(name))
    time = Time()
    cache = WatchCache(
        FaultyCluster(memory, Random(1), deaf()),
        SCOPE,
        keep=colour,
        gone=lambda ref, kept: left.append((ref.name, kept)),
        pace=time.pace(resync_seconds=60),
    )
    async with beside(cache.run()):
        await cache.synced()
        await memory.delete(ref("goes"))
        time.now += 100
        memory.end_watches()
        await eventually(lambda: bool(left))

    assert left == [("goes", "red")]


async def test_a_new_list_tells_only_what_is_not_as_before(memory: MemoryCluster) -> None:
    notified: list[str] = []
    for name in ("same", "changed", "gone"):
        await memory.create(config_map(name))
    time = Time()
    cache = WatchCache(
        FaultyCluster(memory, Random(1), deaf()),
        SCOPE,
        keep=colour,
        changed=lambda changed: notified.append(changed.name),
        pace=time.pace(resync_seconds=60),
    )
    async with beside(cache.run()):
        await cache.synced()
        notified.clear()
        await memory.patch(ref("changed"), {"data": {"colour": "blue"}})
        await memory.delete(ref("gone"))
        time.now += 100
        memory.end_watches()
        await eventually(lambda: len(notified) == 2)

    assert sorted(notified) == ["changed", "gone"]


def deaf() -> Faults:
    """Return what makes every change go missing, and nothing else go wrong."""
    return Faults(refuse=0, cut=0, end=0, repeat=0, old=0, miss=1, forget=0, stall=0)


# --- interruptions ---


async def test_a_watch_that_ends_goes_on_from_where_it_was(memory: MemoryCluster) -> None:
    cache = WatchCache(memory, SCOPE, keep=colour, pace=Time().pace())
    async with beside(cache.run()):
        await cache.synced()
        for number in range(5):
            memory.end_watches()
            await memory.create(config_map(f"n{number}"))
            await eventually(lambda number=number: len(cache) == number + 1)  # type: ignore[misc]

    assert cache.lists == 1
    assert cache.watches > 5


async def test_what_was_forgotten_is_listed_anew(memory: MemoryCluster) -> None:
    cache = WatchCache(memory, SCOPE, keep=colour, pace=Time().pace())
    await memory.create(config_map("gone"))
    async with beside(cache.run()):
        await cache.synced()
        memory.end_watches()
        await memory.delete(ref("gone"))
        await memory.create(config_map("new"))
        memory.forget()
        await eventually(lambda: cache.get("team", "new") == "red")

    assert len(cache) == 1
    assert cache.lists == 2


async def test_a_bookmark_moves_a_quiet_watch_on(memory: MemoryCluster) -> None:
    """Without it, what others do would push a quiet kind's version out of memory."""
    cache = WatchCache(memory, SCOPE, keep=colour, pace=Time().pace())
    async with beside(cache.run()):
        await cache.synced()
        await memory.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "team"}}
        )
        memory.send_bookmarks()
        for _ in range(5):
            await asyncio.sleep(0)
        memory.forget()
        memory.end_watches()
        await memory.create(config_map("new"))
        await eventually(lambda: cache.get("team", "new") == "red")

    assert cache.lists == 1


async def test_what_was_missed_is_put_right_by_the_next_list(memory: MemoryCluster) -> None:
    time = Time()
    cluster = FaultyCluster(memory, Random(1), deaf())
    cache = WatchCache(cluster, SCOPE, keep=colour, pace=time.pace(resync_seconds=60))
    async with beside(cache.run()):
        await cache.synced()
        await memory.create(config_map("missed"))
        memory.end_watches()
        await eventually(lambda: cache.watches > 1)
        assert len(cache) == 0
        time.now += 73
        memory.end_watches()
        await eventually(lambda: cache.get("team", "missed") == "red")


async def test_a_cluster_that_refuses_is_asked_less_and_less_often(memory: MemoryCluster) -> None:
    seen: list[tuple[bool, str]] = []

    class Refusing(FaultyCluster):
        async def _arrive(self) -> None:
            if len(time.slept) < 12:
                seen.append((cache.is_synced, cache.trouble))
                raise Forbidden("trials is forbidden")

    time = Time()
    cache = WatchCache(Refusing(memory, Random(1), Faults()), SCOPE, keep=colour, pace=time.pace())
    async with beside(cache.run()):
        await cache.synced()

    assert seen == [(False, "")] + [(False, "trials is forbidden")] * 11
    assert (cache.trouble, cache.failures) == ("", 12)
    bounds = [min(0.25 * 2**number, 30.0) for number in range(12)]
    assert all(b / 2 <= s <= b for s, b in zip(time.slept, bounds, strict=False))


async def test_a_server_that_ends_each_watch_at_once_is_not_asked_all_the_time(
    memory: MemoryCluster,
) -> None:
    class Ending(FaultyCluster):
        async def watch(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - it gives nothing
            nothing: tuple[Change, ...] = ()
            for change in nothing:
                yield change

    time = Time()
    cache = WatchCache(Ending(memory, Random(1), deaf()), SCOPE, keep=colour, pace=time.pace())
    async with beside(cache.run()):
        await eventually(lambda: len(time.slept) >= 10)

    assert sum(time.slept[:10]) > 60


async def test_after_a_long_quiet_time_the_first_wait_is_short_again(
    memory: MemoryCluster,
) -> None:
    time = Time()
    cache = WatchCache(memory, SCOPE, keep=colour, pace=time.pace())

    def ended(times: int) -> bool:
        memory.end_watches()
        return len(time.slept) >= times

    async with beside(cache.run()):
        await eventually(lambda: ended(6))
        assert time.slept[5] >= 4
        await memory.create(config_map())
        await eventually(lambda: len(cache) == 1)  # so it watches now
        time.now += 11
        count = len(time.slept)
        await eventually(lambda: ended(count + 1))

    assert time.slept[count] <= 0.25


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_any_faults_it_is_as_the_cluster_is(seed: int) -> None:
    random = Random(seed)
    faults = Faults(miss=random.choice([0, 0, 0.1]), cut=random.choice([0.05, 0.3]))
    memory = MemoryCluster(namespaces=("team",), history=random.choice([5, 1000]))
    cluster = FaultyCluster(memory, random, faults)
    time = Time()
    resync = 5.0 if faults.miss else 1e9
    cache = WatchCache(cluster, SCOPE, keep=colour, pace=time.pace(random, resync_seconds=resync))
    async with beside(cache.run()):
        for _ in range(150):
            await _do_something(memory, random)
            for _ in range(random.choice([0, 0, 1, 5])):
                await asyncio.sleep(0)
        cluster.faults = deaf() if faults.miss else Faults(forget=0)
        truth = dict(await _truth(memory))
        time.now += 20

        def is_true() -> bool:
            memory.end_watches()
            return {n: cache.get("team", n) for n in truth} == truth and len(cache) == len(truth)

        await eventually(is_true)


async def _do_something(memory: MemoryCluster, random: Random) -> None:
    wanted = ref(f"n{random.randrange(8)}")
    there = [name for name, _ in await _truth(memory)]
    if wanted.name not in there:
        await memory.create(config_map(wanted.name))
    elif random.random() < 0.3:
        await memory.delete(wanted)
    else:
        await memory.patch(wanted, {"data": {"colour": str(random.random())}})


async def _truth(memory: MemoryCluster) -> list[tuple[str, str]]:
    documents: Any = (await memory.list(Scope(CONFIG_MAP))).items
    return [(one["metadata"]["name"], colour(one)) for one in documents]


# --- over HTTP, and in size ---


async def test_it_outlives_an_api_server_that_is_away_for_a_while(memory: MemoryCluster) -> None:
    pace = Pace(first_seconds=0.01, longest_seconds=0.05)
    async with served(memory) as server:
        port = int(server.url.rpartition(":")[2])
        async with plain(server.url) as cluster:
            cache = WatchCache(cluster, SCOPE, keep=colour, pace=pace)
            async with beside(cache.run()):
                await cache.synced()
                await server.stop()
                await memory.create(config_map())
                await eventually(lambda: cache.failures > 1)
                assert "cannot reach" in cache.trouble
                await server.start(port)
                await eventually(lambda: len(cache) == 1)

    assert cache.lists == 1


async def test_of_objects_that_are_gone_nothing_is_kept(memory: MemoryCluster) -> None:
    cache = WatchCache(memory, SCOPE, keep=json.dumps)
    async with beside(cache.run()):
        await cache.synced()
        await _come_and_go(memory, cache, 50)
        tracemalloc.start()
        await _come_and_go(memory, cache, 500)
        gc.collect()
        left = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()

    assert left < 500 * SIZE / 10


async def _come_and_go(memory: MemoryCluster, cache: WatchCache[str], count: int) -> None:
    for number in range(count):
        await memory.create({**config_map(f"n{number}"), "data": {"colour": "x" * SIZE}})
    await eventually(lambda: len(cache) == count)
    for number in range(count):
        await memory.delete(ref(f"n{number}"))
    await eventually(lambda: len(cache) == 0)
    memory.forget()


async def test_an_error_is_logged_once_while_it_stays_the_same(
    memory: MemoryCluster, caplog: pytest.LogCaptureFixture
) -> None:
    class Down(FaultyCluster):
        async def _arrive(self) -> None:
            if len(time.slept) < 6:
                raise Unavailable("the network is down")

    time = Time()
    caplog.set_level("INFO")
    cache = WatchCache(Down(memory, Random(1), Faults()), SCOPE, keep=colour, pace=time.pace())
    async with beside(cache.run()):
        await cache.synced()

    assert [record.message for record in caplog.records] == [
        "cache is out of date",
        "cache is up to date again",
    ]
