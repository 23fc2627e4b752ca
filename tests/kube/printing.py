"""A pod in a cluster in memory that prints what a test wants."""

from __future__ import annotations

from api.types import JsonObject
from kube.cluster import PodLogs, ref_of
from kube.testing.memory import MemoryCluster


class PrintingPod:
    """`tests.contracts.pod_logs.Machine`, whose log is read by whatever port."""

    def __init__(self, memory: MemoryCluster, pod: JsonObject, logs: PodLogs) -> None:
        self._printed, self._pod = memory.printed, pod
        self.logs, self.pod = logs, ref_of(pod)
        self._printed.start(pod, "trainer")

    def print(self, text: str) -> None:
        self._printed.write(self._pod, "trainer", f"{text}\n".encode())

    def end(self) -> None:
        self._printed.end(self._pod, "trainer")

    def restart(self) -> None:
        self.end()
        self._printed.start(self._pod, "trainer")


async def printing_pod(memory: MemoryCluster, logs: PodLogs) -> PrintingPod:
    containers = [{"name": "trainer"}, {"name": "other"}]
    pod: JsonObject = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "team"},
        "spec": {"containers": containers},
    }
    return PrintingPod(memory, await memory.create(pod), logs)
