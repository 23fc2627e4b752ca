"""The objects of a trial in a cluster in memory: Trial, Suggestion, Job, and its future pod."""

from __future__ import annotations

from typing import Any

from api.types import JsonObject
from kube.cluster import uid_of
from kube.testing.memory import MemoryCluster

KATIB = "kubeflow.org/v1beta1"


def object_of(api_version: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - of the document
    metadata = {"name": name, "namespace": "team", **parts.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def trial(name: str = "mnist-1", *, experiment: str = "mnist", **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - of the spec
    labels = {"katib.kubeflow.org/experiment": experiment}
    whole = {
        "objective": {"type": "maximize", "objectiveMetricName": "accuracy"},
        "metricsCollector": {"collector": {"kind": "StdOut"}},
        "primaryContainerName": "training",
        "runSpec": {"apiVersion": "batch/v1", "kind": "Job"},
        **spec,
    }
    return object_of(KATIB, "Trial", name, metadata={"labels": labels}, spec=whole)


def suggestion(name: str = "mnist") -> dict[str, Any]:
    return object_of(KATIB, "Suggestion", name, spec={"algorithm": {"algorithmName": "random"}})


def owned_by(owner: JsonObject) -> dict[str, Any]:
    metadata: Any = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": uid_of(owner),
        "controller": True,
    }


def job(name: str, owner: JsonObject | None = None) -> dict[str, Any]:
    owners = [owned_by(owner)] if owner else []
    return object_of("batch/v1", "Job", name, metadata={"ownerReferences": owners}, spec={})


def pod(owner: JsonObject | None = None, **container: Any) -> dict[str, Any]:  # noqa: ANN401 - of the container
    metadata: dict[str, Any] = {"generateName": "mnist-1-"}
    if owner is not None:
        metadata["ownerReferences"] = [owned_by(owner)]
    training = {
        "name": "training",
        "image": "example/mnist:1",
        "command": ["python3", "mnist.py"],
        **container,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [training]},
    }


async def team(cluster: MemoryCluster, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - of the trial's spec
    """Create a trial with its Suggestion and Job; return its future pod."""
    made = await cluster.create(trial(**spec))
    await cluster.create(suggestion())
    return pod(await cluster.create(job("mnist-1", made)))
