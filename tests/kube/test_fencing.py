"""A cluster behind a fence: the same cluster, until writing is no longer ours to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from api.errors import Unavailable
from kube.cluster import Cluster, Scope
from kube.fencing import FencedCluster
from kube.testing.memory import MemoryCluster
from tests.contracts.cluster import CONFIG_MAP, ClusterContract, config_map, ref


class TestFenced(ClusterContract):
    @pytest.fixture
    def cluster(self) -> Cluster:
        return FencedCluster(MemoryCluster(namespaces=("team", "other")), lambda: True)


WRITES: list[Callable[[Cluster], Awaitable[object]]] = [
    lambda cluster: cluster.create(config_map("another")),
    lambda cluster: cluster.replace(config_map()),
    lambda cluster: cluster.patch(ref(), {"data": {}}),
    lambda cluster: cluster.delete(ref()),
]


@pytest.mark.parametrize("write", WRITES)
async def test_without_leave_nothing_is_written_and_all_is_read(
    write: Callable[[Cluster], Awaitable[object]],
) -> None:
    memory = MemoryCluster(namespaces=("team",))
    before = await memory.create(config_map())
    fenced = FencedCluster(memory, lambda: False)

    with pytest.raises(Unavailable, match="no longer leads"):
        await write(fenced)

    assert await fenced.get(ref()) == before
    assert (await fenced.list(Scope(CONFIG_MAP))).items == (before,)
