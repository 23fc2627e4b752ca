"""Which deleted trials still have metrics in the store, in an annotation of a Lease."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from api.types import JsonObject
from controller.driver.ports import RecordedTrial
from controller.on_kube.leftover_record import ANNOTATION, NAME, ClusterLeftoverRecord
from kube.cluster import Ref
from kube.leader_election import LEASE_API
from kube.testing.memory import MemoryCluster

LEASE = Ref(api_version=LEASE_API, kind="Lease", namespace="kubeflow", name=NAME)


def trials(count: int) -> list[RecordedTrial]:
    return [
        RecordedTrial(namespace="team", name=f"trial-{n}", uid=f"uid-{n}") for n in range(count)
    ]


def a_record(cluster: MemoryCluster) -> ClusterLeftoverRecord:
    return ClusterLeftoverRecord(cluster, "kubeflow")


async def test_what_one_leader_writes_the_next_one_reads() -> None:
    cluster = MemoryCluster(namespaces=("kubeflow",))
    assert await a_record(cluster).read() == []

    record = a_record(cluster)
    for count in (2, 3, 0, 1):
        await record.write(trials(count))
        assert await a_record(cluster).read() == trials(count)


async def test_writes_at_the_same_time_leave_the_last_one() -> None:
    cluster = MemoryCluster(namespaces=("kubeflow",))
    record = a_record(cluster)

    await asyncio.gather(*(record.write(trials(count)) for count in (3, 1, 2)))

    assert await a_record(cluster).read() == trials(2)


async def test_the_newest_are_recorded_when_an_annotation_cannot_have_all() -> None:
    cluster = MemoryCluster(namespaces=("kubeflow",))
    await a_record(cluster).write(trials(10_000))

    kept = await a_record(cluster).read()
    document = await cluster.get(LEASE)

    assert kept == trials(10_000)[-len(kept) :]
    assert len(kept) > 5_000
    assert len(json.dumps(document["metadata"])) < 256 * 1024


@pytest.mark.parametrize("text", ["", "{", "7", "[1]", '[["a"]]', "null"])
async def test_a_text_that_no_controller_writes_is_ignored(text: str) -> None:
    cluster = MemoryCluster(namespaces=("kubeflow",))
    metadata: dict[str, Any] = {"name": NAME, "namespace": "kubeflow"}
    metadata["annotations"] = {ANNOTATION: text}
    lease: JsonObject = {"apiVersion": LEASE_API, "kind": "Lease", "metadata": metadata}
    await cluster.create(lease)

    assert await a_record(cluster).read() == []
