"""The logs of pods, in memory and over HTTP: one contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kube.connect import connected
from kube.testing.apiserver import served
from kube.testing.memory import MemoryCluster
from tests.contracts.pod_logs import Machine, PodLogsContract
from tests.kube.printing import printing_pod


@pytest.fixture
def memory() -> MemoryCluster:
    return MemoryCluster(namespaces=("team",))


class TestInMemory(PodLogsContract):
    @pytest.fixture
    async def machine(self, memory: MemoryCluster) -> Machine:
        return await printing_pod(memory, memory)


class TestOverHttp(PodLogsContract):
    @pytest.fixture
    async def machine(self, memory: MemoryCluster, tmp_path: Path) -> AsyncIterator[Machine]:
        async with (
            served(memory) as server,
            connected(server.write_kubeconfig(tmp_path / "kubeconfig")) as cluster,
        ):
            yield await printing_pod(memory, cluster)
