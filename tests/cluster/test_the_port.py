"""The port of `kube/` in front of a real API server: the contract that the cluster in memory keeps."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import kube.cluster
from api.types import JsonObject
from kube.cluster import Kind, Ref, Scope, ref_of, version_of
from kube.connect import connected
from kube.errors import AlreadyExists, NotFound
from kube.watch_cache import WatchCache
from tests.contracts.access import AuthorizerContract
from tests.contracts.cluster import CONFIG_MAP, ClusterContract, config_map
from tests.polling import beside, eventually

NAMESPACES = ("team", "other")
SERVICE = Kind(api_version="v1", kind="Service")
OF_THE_CLUSTER = {"kube-root-ca.crt", "openshift-service-ca.crt"}
"""ConfigMaps that a cluster puts into each namespace by itself."""


async def _clear(cluster: kube.cluster.Cluster) -> None:
    """Take away what tests have left: a namespace of its own for each would take a minute to go."""
    for kind in (CONFIG_MAP, SERVICE):
        for namespace in NAMESPACES:
            for document in (await cluster.list(Scope(kind, namespace))).items:
                ref = ref_of(document)
                if ref.name not in OF_THE_CLUSTER:
                    await _remove(cluster, ref)


async def _remove(cluster: kube.cluster.Cluster, ref: Ref) -> None:
    with contextlib.suppress(NotFound):
        await cluster.patch(ref, {"metadata": {"finalizers": None}})
        await cluster.delete(ref)


def _namespace(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


@pytest.mark.alone  # the names of its namespaces are the contract's
class TestRealApiServer(ClusterContract, AuthorizerContract):
    @pytest.fixture
    async def cluster(self, kubeconfig: Path) -> AsyncIterator[kube.cluster.Cluster]:
        async with connected(kubeconfig) as cluster:
            for name in NAMESPACES:
                with contextlib.suppress(AlreadyExists):
                    await cluster.create(_namespace(name))
            await _clear(cluster)
            yield cluster
            await _clear(cluster)

    async def test_a_cache_keeps_up(self, cluster: kube.cluster.Cluster) -> None:
        cache = WatchCache(cluster, Scope(CONFIG_MAP, "team"), keep=version_of)
        async with beside(cache.run()):
            await cache.synced()
            for number in range(30):
                made = await cluster.create(config_map(f"n{number}"))
                name = ref_of(made)
                await cluster.patch(name, {"data": {"colour": "blue"}})
                if number % 2:
                    await cluster.delete(name)
            listed = (await cluster.list(Scope(CONFIG_MAP, "team"))).items
            wanted = {ref_of(one).name: version_of(one) for one in listed}
            await eventually(lambda: {name: cache.get("team", name) for name in wanted} == wanted)
            await eventually(lambda: len(cache) == len(wanted))
        assert (cache.lists, cache.failures) == (1, 0)
