"""A cluster for experiments: ours in memory, over HTTP, with a Job controller that the test leads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from api.names import COLLECTOR_CONTAINER, TRIAL_LABEL
from api.types import JsonObject
from controller.on_kube.jobs import ClusterJobs
from controller.on_kube.objects import ChangeListeners, ClusterObjects
from controller.reconcile.views import Key
from kube.cluster import Cluster, Kind, Ref
from kube.watch_cache import Pace

JOB = Kind(api_version="batch/v1", kind="Job")
PACE = Pace(first_seconds=0.01, longest_seconds=0.05)


class ClusterPorts:
    """Objects and jobs in a cluster with running watches, and the keys to reconcile."""

    def __init__(self, cluster: Cluster) -> None:
        self.experiments: set[Key] = set()
        self.trials: set[Key] = set()
        self.changed = asyncio.Event()
        self.tasks: list[asyncio.Task[Any]] = []
        changed = ChangeListeners(
            experiment=self._teller(self.experiments), trial=self._teller(self.trials)
        )

        def start(work: Any) -> None:  # noqa: ANN401 - any coroutine
            self.tasks.append(asyncio.create_task(work))

        self.objects = ClusterObjects(cluster, changed, pace=PACE)
        self.jobs = ClusterJobs(cluster, changed.trial, start, pace=PACE)
        for mirror in (self.objects.experiments, self.objects.suggestions, self.objects.all_trials):
            start(mirror.cache.run())

    def _teller(self, keys: set[Key]) -> Callable[[Key], None]:
        def tell(key: Key) -> None:
            keys.add(key)
            self.changed.set()

        return tell


@asynccontextmanager
async def ports_of(cluster: Cluster) -> AsyncIterator[ClusterPorts]:
    """Give ports that are in step with the cluster."""
    ports = ClusterPorts(cluster)
    mirrors = (ports.objects.experiments, ports.objects.suggestions, ports.objects.all_trials)
    try:
        for mirror in mirrors:
            await mirror.cache.synced()
        yield ports
    finally:
        for task in ports.tasks:
            task.cancel()
        ended = await asyncio.gather(*ports.tasks, return_exceptions=True)
        assert [end for end in ended if not isinstance(end, asyncio.CancelledError)] == []


def job_ref(name: str) -> Ref:
    return Ref(api_version="batch/v1", kind="Job", namespace="ns", name=name)


async def set_status(cluster: Cluster, name: str, status: dict[str, Any]) -> None:
    await cluster.patch(job_ref(name), {"status": status}, status=True)


async def complete(cluster: Cluster, name: str, kind: str = "Complete") -> None:
    """Bring a job to its end, as the Job controller would say it."""
    condition = {"type": kind, "status": "True", "reason": "R", "message": "m"}
    await set_status(cluster, name, {"conditions": [condition]})


async def add_pod(
    cluster: Cluster,
    trial: str,
    *,
    words: str = "",
    code: int = 0,
    collector: bool = True,
    ended: bool = True,
    finalizers: Sequence[str] = (),
    suffix: str = "abcde",
    labels: Mapping[str, str] | None = None,
) -> None:
    """Add a job's pod, whose collector has ended or still runs."""
    name = COLLECTOR_CONTAINER if collector else "another"
    end = {
        "terminated": {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "message": words,
        }
    }
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{trial}-{suffix}",
            "namespace": "ns",
            "labels": {TRIAL_LABEL: trial, **(labels or {})},
        },
        "spec": {"initContainers": [{"name": name}], "containers": [{"name": "main"}]},
    }
    if finalizers:
        document["metadata"]["finalizers"] = list(finalizers)
    await cluster.create(document)
    if not ended:
        return
    status: JsonObject = {"initContainerStatuses": [{"name": name, "state": end}]}
    ref = Ref(api_version="v1", kind="Pod", namespace="ns", name=f"{trial}-{suffix}")
    await cluster.patch(ref, {"status": status}, status=True)
