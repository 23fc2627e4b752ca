"""Jobs in a cluster: created ones are known at once, deleted ones are remembered, with their pods."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from api.errors import RemoteError
from api.types import Assignment, JsonObject, ObjectMeta, SuggestedTrial, Trial
from controller.reconcile.creation import trial_of
from controller.reconcile.jobs import job_document
from controller.reconcile.views import JobFacts, PodFacts, key_of
from kube.cluster import Cluster
from kube.testing.memory import MemoryCluster
from tests.controller.cluster_ports import (
    ClusterPorts,
    add_pod,
    complete,
    job_ref,
    ports_of,
    set_status,
)
from tests.controller.experiment_harness import experiment
from tests.kube.faulty_cluster import Faults, FaultyCluster
from tests.polling import SECONDS, eventually

DEAF = Faults(refuse=0, cut=0, end=0, repeat=0, old=0, miss=1, forget=0, stall=0)
WORDS = json.dumps({"delivered": False, "metrics": {}})


@pytest.fixture
def cluster() -> MemoryCluster:
    return MemoryCluster(namespaces=("ns",))


@pytest.fixture
async def ports(cluster: MemoryCluster) -> AsyncIterator[ClusterPorts]:
    async with ports_of(cluster) as ports:
        yield ports


def trial() -> Trial:
    entry = SuggestedTrial(name="exp-1", assignments=(Assignment(name="lr", value="0.1"),))
    made = trial_of(experiment(), entry, None)
    return replace(made, metadata=replace(made.metadata, uid="uid-t"))


async def create(ports: ClusterPorts, **changes: Any) -> Trial:  # noqa: ANN401 - of the document
    item = trial()
    await ports.jobs.create(item, {**job_document(item), **changes})
    return item


async def looks(ports: ClusterPorts, item: Trial, expected: Any) -> JobFacts:  # noqa: ANN401 - a predicate
    """Look until what is found is what is expected: watches take their time."""
    async with asyncio.timeout(SECONDS):
        while True:
            ports.changed.clear()
            found = await ports.jobs.look(item)
            if expected(found):
                return found
            await ports.changed.wait()


async def test_a_job_that_was_created_is_there_at_once(ports: ClusterPorts) -> None:
    item = await create(ports)

    facts = await ports.jobs.look(item)

    assert facts.present
    assert facts.pods == PodFacts()


async def test_a_job_that_is_there_is_not_created_again_and_is_seen(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    item = trial()
    await cluster.create(job_document(item))

    await ports.jobs.create(item, {**job_document(item), "spec": {"other": True}})

    facts = await ports.jobs.look(item)
    assert facts.document is not None
    assert "other" not in str(facts.document["spec"])


async def test_a_job_of_this_name_without_an_owner_is_an_error(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    item = trial()
    await cluster.create({**job_document(item), "metadata": {"name": "exp-1", "namespace": "ns"}})

    with pytest.raises(RemoteError, match="does not belong to this trial; delete it"):
        await ports.jobs.create(item, job_document(item))


async def test_a_job_of_this_name_without_an_owner_is_not_deleted(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    item = trial()
    await cluster.create({**job_document(item), "metadata": {"name": "exp-1", "namespace": "ns"}})

    await ports.jobs.delete(item)

    assert await cluster.get(job_ref("exp-1"))


async def test_a_kind_that_the_cluster_does_not_have_is_reported(ports: ClusterPorts) -> None:
    item = trial()
    run_spec: JsonObject = {"apiVersion": "example.org/v1", "kind": "FooJob"}
    item = replace(item, spec=replace(item.spec, run_spec=run_spec))

    with pytest.raises(RemoteError, match="FooJob"):
        await ports.jobs.create(item, job_document(item))


async def test_the_end_of_a_job_is_seen_with_the_last_words_of_its_collector(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    item = await create(ports)
    await add_pod(cluster, "exp-1", words=WORDS, code=2)
    await complete(cluster, "exp-1")

    facts = await looks(ports, item, lambda found: "Complete" in str(found.document))

    assert facts.pods == PodFacts(
        injected=True, collector_failed="Error, exit code 2", termination_message=WORDS
    )


async def test_a_job_that_vanished_is_shown_as_it_was_last(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    item = await create(ports)
    await complete(cluster, "exp-1")
    await looks(ports, item, lambda found: "Complete" in str(found.document))

    await cluster.delete(job_ref("exp-1"))

    facts = await looks(ports, item, lambda found: found.gone)
    assert "Complete" in str(facts.document)


async def test_a_job_that_was_deleted_by_us_is_going_until_it_is_gone(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    document: Any = job_document(trial())
    held = {**document["metadata"], "finalizers": ["example.org/held"]}
    item = await create(ports, metadata=held)
    await ports.jobs.look(item)
    await eventually(lambda: key_of(item) in ports.trials)

    await ports.jobs.delete(item)

    going = await ports.jobs.look(item)
    assert going.present
    assert "deletionTimestamp" in str(going.document)
    await ports.jobs.delete(item)
    await cluster.patch(job_ref("exp-1"), {"metadata": {"finalizers": None}})
    await looks(ports, item, lambda found: found.gone)


async def test_a_job_that_came_and_went_while_the_watch_was_blind_is_made_anew(
    cluster: MemoryCluster,
) -> None:
    deaf = FaultyCluster(cluster, Random(1), DEAF)
    async with ports_of(deaf) as ports:
        item = trial()
        await eventually_synced(ports, item)
        await ports.jobs.create(item, job_document(item))
        assert (await ports.jobs.look(item)).present

        await cluster.delete(job_ref("exp-1"))
        cluster.forget()
        cluster.end_watches()

        async with asyncio.timeout(SECONDS):
            while (await ports.jobs.look(item)).present:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)
        await ports.jobs.create(item, job_document(item))
        assert (await ports.jobs.look(item)).present


async def eventually_synced(ports: ClusterPorts, item: Trial) -> None:
    """Look until the watch of jobs has listed: a job that was never created is not found."""
    assert not (await ports.jobs.look(item)).present
    await asyncio.sleep(0.05)


async def test_a_job_that_was_deleted_before_the_watch_saw_it_is_not_there(
    ports: ClusterPorts,
) -> None:
    item = await create(ports)

    await ports.jobs.delete(item)

    assert not (await ports.jobs.look(item)).present


async def test_why_a_job_gets_no_pod_is_lifted_from_its_events_while_that_lasts(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    item = await create(ports)
    facts = await ports.jobs.look(item)
    assert facts.document is not None
    metadata: Any = facts.document["metadata"]
    event: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e1", "namespace": "ns"},
        "reason": "FailedCreate",
        "message": "admission webhook denied the request",
        "involvedObject": {"kind": "Job", "name": "exp-1", "uid": metadata["uid"]},
    }
    await cluster.create({**event, "metadata": {"name": "e0", "namespace": "ns"}, "reason": "X"})
    await cluster.create(event)

    await looks(ports, item, lambda f: f.pods.refused == "admission webhook denied the request")

    await set_status(cluster, "exp-1", {"active": 1})
    await looks(ports, item, lambda f: not f.pods.refused)


async def test_a_job_of_another_kind_that_says_so_is_heard_and_a_pod_proves_the_contrary(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    item = await create(ports)
    facts = await ports.jobs.look(item)
    assert facts.document is not None
    metadata: Any = facts.document["metadata"]
    event: JsonObject = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e1", "namespace": "ns"},
        "reason": "FailedCreatePod",
        "message": "exceeded quota",
        "involvedObject": {"kind": "Job", "name": "exp-1", "uid": metadata["uid"]},
    }
    await cluster.create(event)
    await looks(ports, item, lambda f: f.pods.refused == "exceeded quota")

    await add_pod(cluster, "exp-1")
    await looks(ports, item, lambda f: not f.pods.refused)


async def test_jobs_that_are_of_no_trial_are_not_kept(
    ports: ClusterPorts, cluster: Cluster
) -> None:
    await ports.jobs.look(await create(ports))
    theirs: JsonObject = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "x", "namespace": "ns"},
    }
    await cluster.create(theirs)
    other = trial()
    other = replace(other, metadata=ObjectMeta(name="x", namespace="ns"))

    await eventually(lambda: any(key.name == "x" for key in ports.trials))
    assert not (await ports.jobs.look(other)).present
