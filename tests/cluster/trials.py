"""Trials on a cluster: creates their jobs, and waits for pods, rows and conditions."""

from __future__ import annotations

import copy
import json
from typing import Any

from api.names import COLLECTOR_CONTAINER
from tests.cluster.client import PATIENCE_SECONDS, Cluster, Object, until
from tests.cluster.observations import Observations, Rows
from tests.cluster.trainers import SCRATCH

TRAINER = "training-container"
# Long enough for a busy machine, and no more: a test that fails should say so soon.
_PHASES_OF_THE_END = {"Succeeded", "Failed"}


class Trials:
    """The trials of one namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def start(self, job: Object) -> str:
        """Create a job; return its name."""
        self.cluster.create("jobs", self.namespace, job)
        return str(job["metadata"]["name"])

    def end(self, name: str, seconds: float = PATIENCE_SECONDS, pause: float = 0.3) -> str:
        """Return how a job ended, `Complete` or `Failed`."""

        def ended() -> str | None:
            job = self.cluster.get("jobs", self.namespace, name) or {}
            conditions = job.get("status", {}).get("conditions", [])
            true = {one["type"] for one in conditions if one["status"] == "True"}
            return next(iter(true & {"Complete", "Failed"}), None)

        return until(f"the end of {name}", ended, seconds, lambda: self._state(name), pause)

    def pod(self, name: str) -> Object:
        """Return the newest pod of a job, once there is one."""
        return until(f"a pod of job {name}", lambda: self._pods(name))[-1]

    def pod_when(self, name: str, what: str, state: Any) -> Object:  # noqa: ANN401 - (pod) -> truth
        """Return the newest pod of a job once `state(pod)` holds."""

        def look() -> Object | None:
            pods = self._pods(name)
            return pods[-1] if pods and state(pods[-1]) else None

        return until(f"{what} of {name}", look, tell=lambda: self._state(name))

    def rows(self, trial: str) -> Rows:
        """Return a trial's metrics as the store has them."""
        with Observations(self.cluster) as store:
            return store.rows(self.namespace, trial)

    def rows_when(self, trial: str, count: int) -> Rows:
        """Return a trial's metrics once there are at least so many."""

        def look() -> Rows | None:
            rows = self.rows(trial)
            return rows if len(rows) >= count else None

        return until(f"{count} rows of {trial}", look)

    def log(self, pod: Object, container: str = TRAINER) -> str:
        """Return the log of a container."""
        return self.cluster.logs(self.namespace, pod["metadata"]["name"], container)

    def collectors_log(self, pod: Object) -> str:
        """Return the sidecar's log."""
        return self.log(pod, COLLECTOR_CONTAINER)

    def _state(self, name: str) -> str:
        """Say what the pods of a job are at, for a person."""
        pods = [(pod["metadata"]["name"], pod["status"]) for pod in self._pods(name)]
        events = self.cluster.listed("events", self.namespace)
        said = [f"{one['reason']}: {one['message']}" for one in events]
        return json.dumps([pods, said])

    def _pods(self, name: str) -> list[Object]:
        selector = f"batch.kubernetes.io/job-name={name}"
        pods = self.cluster.listed("pods", self.namespace, selector)
        return sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def job(name: str, *words: str, metrics: str = "loss", **wanted: Any) -> Object:  # noqa: ANN401 - of an object
    """Return a job of one pod, whose trainer does `words` and whose `metrics` are collected.

    `wanted`: `annotations` (without their prefix), `container`, `pod` and `spec` are laid over the
    pod's annotations, the trainer's container, the pod's spec and the job's.
    """
    container = {"name": TRAINER, "image": SCRATCH, "command": ["/trainer", *words]}
    annotations = {"metrics": metrics, **wanted.get("annotations", {})}
    pod = {"restartPolicy": "Never", "containers": [{**container, **wanted.get("container", {})}]}
    template = {
        "metadata": {
            "labels": {"trialwatch.dev/collect": "true"},
            "annotations": {f"trialwatch.dev/{key}": text for key, text in annotations.items()},
        },
        "spec": {**pod, **wanted.get("pod", {})},
    }
    spec = {"backoffLimit": 0, "template": template, **wanted.get("spec", {})}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": copy.deepcopy(spec),
    }


def status_of(pod: Object, container: str = TRAINER) -> Object:
    """Return the status of a container, native sidecars too; empty before there is one."""
    statuses = pod["status"]
    both = [*statuses.get("containerStatuses", []), *statuses.get("initContainerStatuses", [])]
    return next((one for one in both if one["name"] == container), {})


def running(pod: Object, container: str = TRAINER) -> bool:
    """Tell whether a container runs."""
    return "running" in status_of(pod, container).get("state", {})


def exit_code(pod: Object, container: str = TRAINER) -> int | None:
    """Return the status with which a container ended, or None while it has not."""
    ended = status_of(pod, container).get("state", {}).get("terminated")
    return None if ended is None else int(ended["exitCode"])


def over(pod: Object) -> bool:
    """Tell whether a pod has ended."""
    return pod["status"]["phase"] in _PHASES_OF_THE_END


def counted(steps: int) -> Rows:
    """Return the rows of the trainer's `count STEPS`."""
    return [("loss", f"{1.0 / step:.6f}") for step in range(1, steps + 1)]
