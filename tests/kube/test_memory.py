"""The cluster in memory: the contract, and what only it can be told to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from kube.access import Requester
from kube.cluster import ChangeType, Cluster, Ref, Scope, uid_of
from kube.errors import Gone, NotFound
from kube.testing.memory import MemoryCluster
from tests.contracts.access import AuthorizerContract, wanted
from tests.contracts.cluster import (
    CONFIG_MAP,
    ClusterContract,
    ForgettingContract,
    config_map,
    heard,
    metadata,
    ref,
)


@pytest.fixture
async def memory() -> AsyncIterator[MemoryCluster]:
    made = MemoryCluster(namespaces=("team", "other"))
    yield made
    await made.close()


@pytest.fixture
def cluster(memory: MemoryCluster) -> Cluster:
    return memory


class TestMemoryCluster(ClusterContract, ForgettingContract, AuthorizerContract):
    @pytest.fixture
    async def long_ago(self, memory: MemoryCluster) -> str:
        await memory.create(config_map())
        memory.forget()
        return "1"


async def test_what_is_granted_is_allowed_and_nothing_else(memory: MemoryCluster) -> None:
    memory.grant("developers", "create", "jobs", group="batch", namespace="team")
    memory.grant("anna", "create", "jobs", group="batch")
    bert = Requester(name="bert", groups=("developers",))

    async def may(requester: Requester, **other: str) -> bool:
        access = replace(wanted(requester), **other)  # type: ignore[arg-type]  # texts all
        return (await memory.decide(access)).allowed

    assert await may(bert)
    assert not await may(bert, namespace="other")
    assert not await may(bert, verb="delete")
    assert not await may(bert, group="kubeflow.org")
    assert await may(Requester(name="anna"), namespace="other")


async def test_a_history_that_is_full_forgets_its_beginning() -> None:
    cluster = MemoryCluster(namespaces=("team",), history=3)
    start = (await cluster.list(Scope(CONFIG_MAP))).version
    await cluster.create(config_map("n0"))
    after_first = (await cluster.list(Scope(CONFIG_MAP))).version
    for number in range(1, 4):
        await cluster.create(config_map(f"n{number}"))

    with pytest.raises(Gone):
        await heard(cluster.watch(Scope(CONFIG_MAP), since=start), 1)
    received = await heard(cluster.watch(Scope(CONFIG_MAP), since=after_first), 3)
    assert [name for _, name, _ in received] == ["n1", "n2", "n3"]


async def test_a_watcher_that_is_up_to_date_does_not_mind_what_is_forgotten() -> None:
    cluster = MemoryCluster(namespaces=("team",))
    changes = cluster.watch(
        Scope(CONFIG_MAP), since=(await cluster.list(Scope(CONFIG_MAP))).version
    )
    async with aclosing(changes):
        received = asyncio.create_task(anext(changes))
        await asyncio.sleep(0)
        cluster.forget()
        await cluster.create(config_map())
        assert (await received).type is ChangeType.ADDED


async def test_a_bookmark_says_how_far_the_watcher_is() -> None:
    cluster = MemoryCluster(namespaces=("team",))
    start = (await cluster.list(Scope(CONFIG_MAP))).version
    changes = cluster.watch(Scope(CONFIG_MAP, name="nobody"), since=start)
    async with aclosing(changes):
        received = asyncio.create_task(anext(changes))
        await asyncio.sleep(0)
        await cluster.create(config_map())
        cluster.send_bookmarks()
        bookmark = await received

    assert bookmark.type is ChangeType.BOOKMARK
    assert bookmark.version == (await cluster.list(Scope(CONFIG_MAP))).version
    assert "name" not in metadata(bookmark.document)


async def test_end_watches_ends_all_watches() -> None:
    cluster = MemoryCluster()
    start = (await cluster.list(Scope(CONFIG_MAP))).version
    received = asyncio.create_task(heard(cluster.watch(Scope(CONFIG_MAP), since=start), 1))
    await asyncio.sleep(0)

    cluster.end_watches()

    assert await received == []


async def test_garbage_is_what_has_lost_all_of_its_owners() -> None:
    cluster = MemoryCluster(namespaces=("team",))
    uids = [uid_of(await cluster.create(config_map(name))) for name in ("first", "second")]
    owners = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid}
        for name, uid in zip(("first", "second"), uids, strict=True)
    ]
    child = await cluster.create(config_map("child", ownerReferences=owners))
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "child", "uid": uid_of(child)}
    await cluster.create(config_map("grandchild", ownerReferences=[owner]))

    await cluster.delete(ref("first"))
    await cluster.collect_garbage()
    assert len((await cluster.list(Scope(CONFIG_MAP))).items) == 3

    await cluster.delete(ref("second"))
    await cluster.collect_garbage()
    assert (await cluster.list(Scope(CONFIG_MAP))).items == ()


async def test_garbage_with_a_finalizer_waits_for_it() -> None:
    cluster = MemoryCluster(namespaces=("team",))
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "lost", "uid": "lost"}
    await cluster.create(config_map(ownerReferences=[owner], finalizers=["trialwatch.dev/hold"]))

    await cluster.collect_garbage()
    await cluster.patch(ref(), {"metadata": {"finalizers": []}})

    with pytest.raises(NotFound):
        await cluster.get(ref())


async def test_the_generation_counts_what_is_wanted_not_what_is() -> None:
    cluster = MemoryCluster(namespaces=("team",))
    trial = Ref(api_version="kubeflow.org/v1beta1", kind="Trial", namespace="team", name="t")
    await cluster.create(
        {
            "apiVersion": trial.api_version,
            "kind": "Trial",
            "metadata": {"name": "t", "namespace": "team"},
            "spec": {"primaryContainerName": "main"},
        }
    )

    await cluster.patch(trial, {"status": {"startTime": "now"}}, status=True)
    await cluster.patch(trial, {"metadata": {"labels": {"a": "b"}}})
    assert metadata(await cluster.get(trial))["generation"] == 1

    await cluster.patch(trial, {"spec": {"primaryContainerName": "other"}})
    assert metadata(await cluster.get(trial))["generation"] == 2
