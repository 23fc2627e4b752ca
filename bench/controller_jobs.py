"""Simulates a cluster with nodes: the job controller, the kubelet, the trainer, the collector.

A job gets a pod with a collector, "runs", reports its objective to the DB manager and is Complete;
a job that is deleted is taken away with its pod. No training takes any time, so all of the time
is that of the programs.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import grpc.aio

from api import names
from api.timestamps import from_micros
from api.types import JsonObject
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from kube.cluster import Cluster, Kind, Ref, Scope, ref_of, uid_of
from kube.errors import Conflict, NotFound
from kube.watch_cache import WatchCache

JOB = Kind(api_version="batch/v1", kind="Job")
_POD = Kind(api_version="v1", kind="Pod")
_AT_ONCE = 16
_START_MICROS = 1_790_000_000_000_000


class Jobs:
    """All jobs of a cluster."""

    def __init__(self, cluster: Cluster, db_manager: grpc.aio.Channel) -> None:
        self._cluster = cluster
        channel: Any = db_manager  # the generated stubs know the synchronous channel only
        self._store: Any = api_pb2_grpc.DBManagerStub(channel)
        self._watch = WatchCache(cluster, Scope(JOB), keep=dict, changed=self._changed)
        self._due: asyncio.Queue[Ref] = asyncio.Queue()
        self._begun: set[str] = set()
        self.completed = 0
        """The number of Complete jobs."""
        self.twice = 0
        """The number of trials with a second job."""
        self._names: set[Ref] = set()

    @asynccontextmanager
    async def played(self) -> AsyncIterator[None]:
        """Run the simulation during the block; an error ends both."""
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[None]] = [group.create_task(self._watch.run())]
            tasks += [group.create_task(self._work()) for _ in range(_AT_ONCE)]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    def _changed(self, ref: Ref) -> None:
        job = self._watch.get(ref.namespace, ref.name)
        if job is None:
            return
        uid, going = uid_of(job), bool(_metadata(job).get("deletionTimestamp"))
        step = f"{uid} {'end' if going else 'begin'}"
        if step not in self._begun:
            self._begun.add(step)
            self._due.put_nowait(ref)

    async def _work(self) -> None:
        while True:
            ref = await self._due.get()
            job = self._watch.get(ref.namespace, ref.name)
            if job is None:
                continue
            with suppress(NotFound, Conflict):  # it was deleted in the meantime
                if _metadata(job).get("deletionTimestamp"):
                    await self._remove(ref)
                else:
                    await self._run(ref, job)

    async def _run(self, ref: Ref, job: JsonObject) -> None:
        self.twice += ref in self._names
        self._names.add(ref)
        started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        pod = await self._cluster.create(pod_of(job))
        running: JsonObject = {"active": 1, "ready": 1, "startTime": started}
        await self._cluster.patch(ref, {"status": running}, status=True)
        await self._report(ref)
        await self._cluster.patch(ref_of(pod), {"status": ended_pod(started)}, status=True)
        await self._cluster.patch(ref, {"status": completed_job(started)}, status=True)
        self.completed += 1

    async def _remove(self, ref: Ref) -> None:
        pod = Ref(api_version="v1", kind="Pod", namespace=ref.namespace, name=ref.name)
        with suppress(NotFound):
            await self._cluster.delete(pod)
        await self._cluster.patch(ref, {"metadata": {"finalizers": None}})

    async def _report(self, ref: Ref) -> None:
        log = pb.ObservationLog()
        value = pb.Metric(name="loss", value=loss_of(ref.name))
        log.metric_logs.add(time_stamp=from_micros(_START_MICROS), metric=value)
        request = pb.ReportObservationLogRequest(trial_name=ref.name, observation_log=log)
        metadata = ((names.NAMESPACE_METADATA, ref.namespace),)
        await self._store.ReportObservationLog(request, metadata=metadata)


def loss_of(trial: str) -> str:
    """Return a trial's objective: a number between 0 and 1, always the same."""
    return f"{zlib.crc32(trial.encode()) / (1 << 32):.6f}"


def pod_of(job: JsonObject) -> JsonObject:
    """Return a job's pod with a collector, as the webhook would create it."""
    template: Any = job["spec"]
    template = template["template"]
    collector = {"name": names.COLLECTOR_CONTAINER, "image": "collector", "restartPolicy": "Always"}
    metadata = _metadata(job)
    owner: dict[str, Any] = {"apiVersion": JOB.api_version, "kind": JOB.kind, "controller": True}
    return {
        "apiVersion": _POD.api_version,
        "kind": _POD.kind,
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": template["metadata"]["labels"],
            "ownerReferences": [{**owner, "name": metadata["name"], "uid": metadata["uid"]}],
        },
        "spec": {**template["spec"], "initContainers": [collector]},
    }


def ended_pod(started: str) -> JsonObject:
    """Return a pod status in which all containers have succeeded."""
    end: JsonObject = {
        "exitCode": 0,
        "reason": "Completed",
        "startedAt": started,
        "finishedAt": started,
    }
    collector: JsonObject = {
        "name": names.COLLECTOR_CONTAINER,
        "image": "collector",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": end},
    }
    return {"phase": "Succeeded", "startTime": started, "initContainerStatuses": [collector]}


def completed_job(started: str) -> JsonObject:
    """Return the status of a Complete job."""
    conditions = [
        {"type": kind, "status": "True", "reason": "CompletionsReached"}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    times = {"startTime": started, "completionTime": started}
    return {**times, "active": 0, "ready": 0, "succeeded": 1, "conditions": conditions}


def _metadata(document: JsonObject) -> Mapping[str, Any]:
    metadata = document["metadata"]
    return metadata if isinstance(metadata, Mapping) else {}
