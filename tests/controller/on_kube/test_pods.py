"""The pods of trials: what they say before and after deletion, and why nothing runs in them."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api.names import COLLECTOR_CONTAINER, TRIAL_LABEL
from api.types import JsonObject, Observation, Trial
from controller.on_kube.pod_facts import facts_of, summary_of
from controller.on_kube.pods import ClusterPods
from controller.reconcile.trial_transitions import mark_early_stopped, record_observation
from controller.reconcile.views import PodFacts, PrimaryEnd, key_of
from kube.cluster import Listing, Ref, Scope
from kube.testing.memory import MemoryCluster
from tests.controller.cluster_ports import PACE, ClusterPorts, add_pod, complete, job_ref, ports_of
from tests.controller.experiment_harness import START
from tests.controller.on_kube.test_jobs import create, looks, trial
from tests.polling import beside, eventually

WORDS = json.dumps({"delivered": False, "metrics": {"loss": {"count": 1, "last": "0.5"}}})
POD = Ref(api_version="v1", kind="Pod", namespace="ns", name="exp-1-abcde")


@pytest.fixture
def cluster() -> MemoryCluster:
    return MemoryCluster(namespaces=("ns",))


@pytest.fixture
async def ports(cluster: MemoryCluster) -> AsyncIterator[ClusterPorts]:
    async with ports_of(cluster) as ports:
        yield ports


async def created(ports: ClusterPorts) -> Trial:
    """Create a job, and wait until pods are watched."""
    item = await create(ports)
    await ports.jobs.look(item)
    await ports.jobs.pods.watch.synced()
    return item


async def test_a_pod_that_is_gone_when_its_job_has_ended_has_left_its_words(
    ports: ClusterPorts, cluster: MemoryCluster
) -> None:
    item = await created(ports)
    await add_pod(cluster, "exp-1", words=WORDS, code=2)
    await cluster.delete(POD)
    await complete(cluster, "exp-1")

    facts = await looks(ports, item, lambda found: "Complete" in str(found.document))

    facts = await looks(ports, item, lambda found: found.pods.termination_message)
    assert facts.pods == PodFacts(
        injected=True, collector_failed="Error, exit code 2", termination_message=WORDS
    )


async def test_words_that_come_only_with_the_pods_end_are_heard(
    ports: ClusterPorts, cluster: MemoryCluster
) -> None:
    item = await created(ports)
    await add_pod(cluster, "exp-1", finalizers=["batch.kubernetes.io/job-tracking"], ended=False)
    await cluster.delete(POD)
    end: dict[str, Any] = {"state": {"terminated": {"exitCode": 0, "message": WORDS}}}
    status: JsonObject = {"initContainerStatuses": [{"name": COLLECTOR_CONTAINER, **end}]}
    await cluster.patch(POD, {"status": status}, status=True)
    await cluster.patch(POD, {"metadata": {"finalizers": None}})
    await complete(cluster, "exp-1")

    facts = await looks(ports, item, lambda found: found.pods.termination_message)
    assert facts.pods.termination_message == WORDS


async def test_the_words_stay_when_the_job_is_gone_too_until_the_trial_has_ended(
    ports: ClusterPorts, cluster: MemoryCluster
) -> None:
    item = await created(ports)
    await add_pod(cluster, "exp-1", words=WORDS)
    await complete(cluster, "exp-1")
    await cluster.delete(POD)
    await cluster.delete(job_ref("exp-1"))

    facts = await looks(ports, item, lambda found: found.gone and found.pods.termination_message)
    assert facts.pods.termination_message == WORDS


async def test_a_trial_that_was_stopped_early_hears_them_until_it_was_observed(
    ports: ClusterPorts, cluster: MemoryCluster
) -> None:
    item = await created(ports)
    await add_pod(cluster, "exp-1", words=WORDS)
    await complete(cluster, "exp-1")
    await cluster.delete(POD)
    await cluster.delete(job_ref("exp-1"))
    stopped = mark_early_stopped(item, START)

    await looks(ports, stopped, lambda found: found.gone and found.pods.termination_message)
    await ports.jobs.look(record_observation(stopped, Observation(), START))

    facts = await ports.jobs.look(stopped)
    assert not facts.pods.termination_message, "they are not needed any more"


async def test_where_the_watch_of_pods_is_behind_they_are_asked_for_once(
    cluster: MemoryCluster,
) -> None:
    asked: list[str] = []

    class Counting(MemoryCluster):
        async def list(self, scope: Scope) -> Listing:
            asked.append(str(scope.labels))
            return await super().list(scope)

    cluster = Counting(namespaces=("ns",))
    await add_pod(cluster, "exp-1", words=WORDS)
    pods = ClusterPods(cluster, lambda _: None)

    for _ in range(3):
        assert (await pods.final_facts(trial(), "7")).termination_message == WORDS
    assert len(asked) == 1


async def test_of_a_job_with_many_pods_the_one_with_the_collector_is_remembered(
    ports: ClusterPorts, cluster: MemoryCluster
) -> None:
    item = await created(ports)
    role = {"role": "master"}
    item = replace(item, spec=replace(item.spec, primary_pod_labels=role))
    await add_pod(cluster, "exp-1", words=WORDS, suffix="master", labels=role)
    for number in range(30):
        await add_pod(cluster, "exp-1", collector=False, suffix=f"worker-{number}")
    for suffix in ("master", *(f"worker-{number}" for number in range(30))):
        await cluster.delete(replace(POD, name=f"exp-1-{suffix}"))
    await complete(cluster, "exp-1")
    await eventually(lambda: not ports.jobs.pods.any_of(key_of(item)))

    facts = await looks(ports, item, lambda found: "Complete" in str(found.document))
    assert facts.pods.termination_message == WORDS


async def test_only_changes_of_a_pod_that_matter_are_reported(cluster: MemoryCluster) -> None:
    notified: list[str] = []
    pods = ClusterPods(cluster, lambda key: notified.append(key.name), pace=PACE)
    async with beside(pods.watch.run()):
        await pods.watch.synced()
        await add_pod(cluster, "exp-1", ended=False)
        for phase in ("Pending", "Running", "Succeeded"):
            await cluster.patch(POD, {"status": {"phase": phase}}, status=True)
        await cluster.delete(POD)
        await eventually(lambda: not pods.watch.get("ns", POD.name) and len(notified) > 1)

    assert notified == ["exp-1", "exp-1"], "it came and it went"


async def test_pods_without_a_trial_are_not_watched(cluster: MemoryCluster) -> None:
    pods = ClusterPods(cluster, lambda _: None, pace=PACE)
    async with beside(pods.watch.run()):
        await pods.watch.synced()
        theirs: JsonObject = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "namespace": "ns", "labels": {"app": "web"}},
        }
        await cluster.create(theirs)
        await add_pod(cluster, "exp-1")
        await eventually(lambda: len(pods.watch) == 1)


async def test_a_thousand_pods_are_2_mib_to_remember() -> None:
    document = json.dumps(real_pod())
    gc.collect()
    tracemalloc.start()
    notes = [summary_of(json.loads(document.replace("exp-1", f"exp-{n}"))) for n in range(1000)]
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert len(notes) == 1000
    assert size < 2 << 20, f"{size >> 10} KiB"


def real_pod() -> JsonObject:
    """A pod of about the size that a trial's has in a cluster."""
    labels = {TRIAL_LABEL: "exp-1", "job-name": "exp-1", "controller-uid": "f" * 36, "app": "x"}
    words = {"delivered": True, "metrics": {"loss": {"count": 9, "first": "1", "last": "0.5"}}}
    end: JsonObject = {
        "terminated": {"exitCode": 0, "reason": "Completed", "message": json.dumps(words)}
    }
    return {
        "metadata": {
            "name": "exp-1-abcde",
            "labels": labels,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "managedFields": [{"fieldsV1": {f"f:{n}": {} for n in range(200)}}],
        },
        "spec": {
            "initContainers": [{"name": COLLECTOR_CONTAINER, "args": ["x"] * 50}],
            "containers": [{"name": "main", "env": [{"name": f"E{n}"} for n in range(50)]}],
        },
        "status": {"initContainerStatuses": [{"name": COLLECTOR_CONTAINER, "state": end}]},
    }


# -- why nothing runs -----------------------------------------------------------------------


NO_LAUNCHER = 'exec: "/usr/local/bin/launch": stat /usr/local/bin/launch: no such file or directory'


def waiting(reason: str, message: str, *, name: str = "main", **last: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}, **last}


PLACED = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-02T03:04:00Z"}
NO_ROOM = PLACED | {
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available",
}


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"conditions": [NO_ROOM]}, "Unschedulable: 0/3 nodes are available"),
        (
            {"conditions": [PLACED], "containerStatuses": [waiting("ErrImagePull", "not found")]},
            "ImagePullBackOff of container main: not found",
        ),
        (
            {
                "conditions": [PLACED],
                "initContainerStatuses": [
                    waiting("CrashLoopBackOff", "back-off 40s", name=COLLECTOR_CONTAINER)
                ],
                "containerStatuses": [waiting("PodInitializing", "")],
            },
            f"CrashLoopBackOff of container {COLLECTOR_CONTAINER}: back-off 40s",
        ),
        (
            {
                "conditions": [PLACED],
                "initContainerStatuses": [
                    waiting(
                        "CrashLoopBackOff",
                        "back-off 40s",
                        name=COLLECTOR_CONTAINER,
                        lastState={"terminated": {"reason": "StartError", "message": NO_LAUNCHER}},
                    )
                ],
            },
            f"CrashLoopBackOff of container {COLLECTOR_CONTAINER}: {NO_LAUNCHER}",
        ),
        ({"conditions": [PLACED], "containerStatuses": [waiting("ContainerCreating", "")]}, ""),
        (
            {
                "containerStatuses": [
                    waiting("CrashLoopBackOff", "x", name="other"),
                    {"name": "main", "state": {"running": {"startedAt": "now"}}},
                ]
            },
            "",
        ),
        ({}, ""),
    ],
)
def test_a_pod_is_stuck_only_by_a_wait_that_does_not_end_by_itself(
    status: JsonObject, why: str
) -> None:
    facts = facts_of([summary_of({**real_pod(), "status": status})], trial())

    assert facts.stuck == why
    assert (facts.stuck_since is not None) == bool(why)


def test_the_cause_names_the_image_of_a_collector_that_does_not_start() -> None:
    image = "registry.example/mirror/collector:7"
    document: Any = real_pod()
    document["spec"]["initContainers"][0]["image"] = image
    pulling = waiting("ErrImagePull", "not found", name=COLLECTOR_CONTAINER)
    document["status"] = {"initContainerStatuses": [pulling]}

    assert facts_of([summary_of(document)], trial()).stuck == (
        f"ImagePullBackOff of container {COLLECTOR_CONTAINER}: not found"
        f" (image {image}, which katib-config names)"
    )


def test_since_when_it_is_so_is_what_the_cluster_says() -> None:
    crashed: dict[str, Any] = {"lastState": {"terminated": {"finishedAt": "2026-01-02T03:05:00Z"}}}
    status = {
        "conditions": [PLACED],
        "containerStatuses": [waiting("CrashLoopBackOff", "x", **crashed)],
    }

    facts = facts_of([summary_of({**real_pod(), "status": status})], trial())

    assert facts.stuck_since == datetime(2026, 1, 2, 3, 5, tzinfo=UTC)


def test_a_collector_that_crashes_beside_a_running_trainer_does_not_make_the_pod_stuck() -> None:
    crashed: dict[str, Any] = {"terminated": {"exitCode": 1, "finishedAt": "2026-01-02T03:05:00Z"}}
    collector = waiting("CrashLoopBackOff", "x", name=COLLECTOR_CONTAINER)
    status = {
        "initContainerStatuses": [{**collector, "lastState": crashed}],
        "containerStatuses": [{"name": "main", "state": {"running": {"startedAt": "now"}}}],
    }

    facts = facts_of([summary_of({**real_pod(), "status": status})], trial())

    assert not facts.stuck
    assert facts.crashing_since == datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
    assert facts.collector_failed == "exit code 1"


ENDED = {"terminated": {"exitCode": 0, "finishedAt": "2026-01-02T03:05:00Z"}}
RUNS = {"running": {"startedAt": "2026-01-02T03:04:00Z"}}


@pytest.mark.parametrize(
    ("policy", "code", "proxy", "ended"),
    [
        ("Never", 0, RUNS, True),
        ("Never", 3, RUNS, True),
        ("OnFailure", 0, RUNS, True),
        ("OnFailure", 3, RUNS, False),
        ("Always", 0, RUNS, False),
        ("Never", 0, ENDED, False),
    ],
)
def test_the_end_of_the_training_is_known_while_another_container_runs(
    policy: str, code: int, proxy: JsonObject, *, ended: bool
) -> None:
    end = {"terminated": {**ENDED["terminated"], "exitCode": code}}
    document: Any = real_pod()
    document["spec"]["restartPolicy"] = policy
    document["status"]["containerStatuses"] = [
        {"name": "main", "state": end},
        {"name": "proxy", "state": proxy},
        {"name": COLLECTOR_CONTAINER, "state": RUNS},
    ]
    item = trial()
    item = replace(item, spec=replace(item.spec, primary_container_name="main"))

    known = facts_of([summary_of(document)], item).primary_end

    at = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
    assert known == (PrimaryEnd(exit_code=code, at=at, running=("proxy",)) if ended else None)


def test_a_pod_that_is_being_deleted_is_not_stuck() -> None:
    document: Any = {**real_pod(), "status": {"conditions": [NO_ROOM]}}
    document["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z"

    assert not facts_of([summary_of(document)], trial()).stuck


# -- which of them speaks -------------------------------------------------------------------


def test_a_pod_that_is_older_than_the_trial_is_of_another_of_its_name() -> None:
    item = trial()
    item = replace(item, metadata=replace(item.metadata, creation_timestamp="2026-01-02T03:04:06Z"))

    assert facts_of([summary_of(pod("old", "2026-01-02T03:04:05Z"))], item) == PodFacts()


def pod(name: str, created: str, *, labels: dict[str, str] | None = None) -> dict[str, Any]:
    end = {"terminated": {"exitCode": 0, "message": name}}
    return {
        "metadata": {"name": name, "creationTimestamp": created, "labels": labels or {}},
        "spec": {"containers": [{"name": "metrics-logger-and-collector"}]},
        "status": {
            "containerStatuses": [{"name": "metrics-logger-and-collector", "lastState": end}]
        },
    }


def test_of_several_pods_the_newest_of_the_primary_ones_speaks() -> None:
    item = trial()
    item = replace(item, spec=replace(item.spec, primary_pod_labels={"role": "master"}))
    master = {"role": "master"}
    pods = [
        pod("first", "2026-01-02T03:04:05Z", labels=master),
        pod("second", "2026-01-02T03:04:06Z", labels=master),
        pod("worker", "2026-01-02T03:04:07Z"),
    ]

    assert facts_of(map(summary_of, pods), item) == PodFacts(
        injected=True, termination_message="second"
    )


def test_a_pod_without_a_collector_was_not_injected_and_of_no_pod_nothing_is_known() -> None:
    bare = pod("bare", "2026-01-02T03:04:05Z")
    bare["spec"] = {"containers": [{"name": "main"}]}

    assert facts_of([summary_of(bare)], trial()) == PodFacts(injected=False)
    assert facts_of([], trial()) == PodFacts()


def test_a_pod_that_still_runs_has_not_spoken() -> None:
    alive = pod("alive", "2026-01-02T03:04:05Z")
    alive["status"] = {}

    assert facts_of([summary_of(alive)], trial()) == PodFacts(injected=True)
