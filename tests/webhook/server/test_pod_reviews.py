"""Reviews of pods over HTTP: the response, and the requests to the API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from api.errors import Unavailable
from api.types import JsonObject
from kube.client import KubernetesCluster
from kube.cluster import Cluster, Kind, Ref, Resource, Scope
from kube.connect import connected
from kube.errors import Forbidden
from kube.resources import KNOWN
from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from tests.webhook.running_webhook import Registry, Webhook, asked, patched, webhook
from tests.webhook.trial_objects import job, object_of, owned_by, pod, team, trial
from webhook.model.images import ImageCommand

COLLECTOR = "metrics-logger-and-collector"
EVENT = Kind(api_version="v1", kind="Event")
TRAIN_JOB = Resource(
    api_version="trainer.kubeflow.org/v1alpha1",
    kind="TrainJob",
    plural="trainjobs",
    namespaced=True,
)


@pytest.fixture
def memory() -> MemoryCluster:
    return MemoryCluster((*KNOWN, TRAIN_JOB), namespaces=("team",))


@pytest.fixture
async def api(memory: MemoryCluster) -> AsyncIterator[ApiServer]:
    async with served(memory) as server:
        yield server


@pytest.fixture
async def cluster(api: ApiServer, tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    async with connected(api.write_kubeconfig(tmp_path / "kubeconfig")) as cluster:
        yield cluster


async def refused(
    running: Webhook, document: JsonObject, *, within: str = "10s", **fields: object
) -> str:
    """Review a pod that must be refused, and return code and message."""
    response = await running.review(document, within=within, **fields)
    assert not response["allowed"]
    assert "patch" not in response
    return f"{response['status']['code']} {response['status']['message']}"


def labelled(document: dict[str, Any]) -> dict[str, Any]:
    document["metadata"]["labels"] = {"katib.kubeflow.org/trial": "mnist-1"}
    return document


def questions(api: ApiServer) -> int:
    """Count the requests, without the watches."""
    return sum(n for what, n in api.asked.items() if what.startswith(("get", "list")))


# --- responses ---


async def test_a_trials_pod_gets_the_collector(memory: MemoryCluster) -> None:
    wanted = await team(memory)
    async with webhook(memory) as running:
        response = await running.review(wanted)

        assert response["allowed"]
        after = patched(wanted, response)
        assert [one["name"] for one in after["spec"]["initContainers"]] == [COLLECTOR]
        assert after["metadata"]["labels"]["katib.kubeflow.org/trial"] == "mnist-1"
        assert response["auditAnnotations"] == {"reason": "injected"}
        labels = {"verdict": "inject", "reason": "injected"}
        assert await running.metric("trialwatch_webhook_reviews_total", **labels) == 1
        assert await running.metric("trialwatch_webhook_review_seconds_count") == 1


async def test_an_injected_pod_passes_unchanged_the_second_time(
    memory: MemoryCluster,
) -> None:
    wanted = await team(memory)
    async with webhook(memory) as running:
        after = patched(wanted, await running.review(wanted))

        assert patched(after, await running.review(after)) == after


async def test_a_pod_without_a_trial_passes_unchanged() -> None:
    async with webhook() as running:
        response = await running.review(pod())

        assert response == {"uid": "uid-1", "allowed": True}
        labels = {"verdict": "skip", "reason": "nobodys-trial"}
        assert await running.metric("trialwatch_webhook_reviews_total", **labels) == 1


async def test_a_note_about_the_change_is_a_warning_in_the_response(memory: MemoryCluster) -> None:
    wanted = await team(memory)
    wanted["metadata"]["annotations"] = {"trialwatch.dev/wrap": "false"}
    path = {"kind": "File", "path": "/logs/mnist.log"}
    await memory.patch(
        Ref(api_version="kubeflow.org/v1beta1", kind="Trial", namespace="team", name="mnist-1"),
        {
            "spec": {
                "metricsCollector": {
                    "collector": {"kind": "File"},
                    "source": {"fileSystemPath": path},
                }
            }
        },
    )
    async with webhook(memory) as running:
        (warning,) = (await running.review(wanted))["warnings"]

    assert warning.startswith("trialwatch: the pod's annotation turns the launcher off")
    assert "\n" not in warning


async def test_the_uid_is_echoed_whatever_it_is() -> None:
    async with webhook() as running:
        for uid in ("705ab4f5-6393-11e8-b7cc-42010a800002", "ü\ud800", '"', " "):
            await running.review(pod(), uid=uid)


async def test_the_image_is_looked_up_within_the_requests_time(memory: MemoryCluster) -> None:
    wanted = await team(memory)
    del wanted["spec"]["containers"][0]["command"]
    command = ImageCommand(entrypoint=("python3",), cmd=("mnist.py",))
    registry = Registry({"example/mnist:1": command})
    async with webhook(memory, registry=registry) as running:
        before = asyncio.get_running_loop().time()
        after = patched(wanted, await running.review(wanted, within="4s"))

    assert after["spec"]["containers"][0]["command"][-2:] == ["python3", "mnist.py"]
    assert 0 < registry.deadlines[0] - before < 4


# --- refusals ---


async def test_a_refusal_is_an_event_on_the_trial(memory: MemoryCluster) -> None:
    wanted = await team(memory, primaryContainerName="train")
    async with webhook(memory) as running:
        said = await refused(running, wanted)
        await running.events.drain(10)

    assert said.startswith("400 trialwatch (no-container): the pod does not have the")
    (event,) = (await memory.list(Scope(EVENT))).items
    assert (event["type"], event["reason"]) == ("Warning", "PodRefused")
    assert "(no-container)" in str(event["message"])
    about = event["involvedObject"]
    assert isinstance(about, dict)
    assert (about["kind"], about["name"]) == ("Trial", "mnist-1")


async def test_a_refusal_without_a_trial_is_an_event_on_the_job(memory: MemoryCluster) -> None:
    nightly = await memory.create(job("nightly"))
    wanted = pod(nightly)
    wanted["metadata"]["labels"] = {"trialwatch.dev/collect": "true"}
    async with webhook(memory) as running:
        assert "(no-metrics)" in await refused(running, wanted)
        await running.events.drain(10)

    (event,) = (await memory.list(Scope(EVENT))).items
    about = event["involvedObject"]
    assert isinstance(about, dict)
    assert (about["kind"], about["name"]) == ("Job", "nightly")


async def test_a_refusal_before_the_trial_is_known_is_posted_on_the_trial_of_the_label(
    memory: MemoryCluster,
) -> None:
    wanted = labelled(await team(memory))

    class NoJobs(Unsteady):
        async def get(self, ref: Ref) -> JsonObject:
            if ref.kind == "Job":
                raise Forbidden("jobs is forbidden")
            return await self._cluster.get(ref)

    async with webhook(NoJobs(memory), watching=False) as running:  # type: ignore[arg-type]
        assert "(lookup-failed)" in await refused(running, wanted)
        await running.events.drain(10)

    (event,) = (await memory.list(Scope(EVENT, "team"))).items
    about: Any = event["involvedObject"]
    assert (about["kind"], about["name"]) == ("Trial", "mnist-1")


async def test_a_dry_run_posts_no_event(memory: MemoryCluster) -> None:
    wanted = await team(memory, primaryContainerName="train")
    async with webhook(memory) as running:
        await refused(running, wanted, dryRun=True)
        await running.events.drain(10)

    assert (await memory.list(Scope(EVENT))).items == ()


# --- look-ups ---


async def test_in_steady_state_a_review_needs_no_request_to_the_api_server(
    memory: MemoryCluster, cluster: KubernetesCluster, api: ApiServer
) -> None:
    ours = await team(memory)
    nobodys = pod(await memory.create(job("nightly")))
    async with webhook(cluster) as running:
        before = questions(api)
        for _ in range(50):
            assert "patch" in await running.review(ours)
            assert (await running.review(nobodys))["allowed"]

    assert before == 3  # a list of each kind
    assert questions(api) == before


async def test_a_trial_that_is_not_cached_yet_is_looked_up(
    memory: MemoryCluster, cluster: KubernetesCluster, api: ApiServer
) -> None:
    async with webhook(cluster) as running:
        memory.end_watches()  # they come back after a moment
        wanted = await team(memory)
        assert "patch" in await running.review(wanted)

    assert api.asked["get Trial"] + api.asked["get Job"] > 0


async def test_a_cached_trial_with_another_uid_is_looked_up_again(
    memory: MemoryCluster,
) -> None:
    """The cache still has the old trial; its uid differs from the reference's."""
    await memory.create(trial(primaryContainerName="old"))
    async with webhook(memory) as running:
        name = Ref(
            api_version="kubeflow.org/v1beta1", kind="Trial", namespace="team", name="mnist-1"
        )
        await memory.delete(name)
        wanted = await team(memory)  # the cache gets no time to see it
        response = await running.review(wanted)

    assert "patch" in response


async def test_the_owners_of_an_object_of_an_unwatched_kind_are_cached(
    memory: MemoryCluster, cluster: KubernetesCluster, api: ApiServer
) -> None:
    made = await memory.create(trial())
    metadata = {"ownerReferences": [owned_by(made)]}
    train_job = object_of(TRAIN_JOB.api_version, "TrainJob", "mnist-1", metadata=metadata)
    worker = pod(await memory.create(train_job))
    async with webhook(cluster) as running:
        for _ in range(20):
            assert "patch" in await running.review(worker)
        labels = {"kind": "other", "source": "cache"}
        assert await running.metric("trialwatch_webhook_lookups_total", **labels) == 19

    assert api.asked["get TrainJob"] == 1


class Unsteady:
    """A cluster whose first answers fail."""

    def __init__(self, cluster: Cluster, *failures: Exception) -> None:
        self._cluster, self.failures = cluster, list(failures)

    def __getattr__(self, name: str) -> object:
        return getattr(self._cluster, name)

    async def get(self, ref: Ref) -> JsonObject:
        if self.failures:
            raise self.failures.pop(0)
        return await self._cluster.get(ref)


async def test_a_failed_look_up_is_retried(memory: MemoryCluster) -> None:
    wanted = await team(memory)
    unsteady = Unsteady(memory, *(Unavailable("the API server restarts") for _ in range(3)))
    async with webhook(unsteady, watching=False) as running:  # type: ignore[arg-type]
        assert "patch" in await running.review(wanted)

    assert unsteady.failures == []


async def test_a_look_up_that_fails_until_the_deadline_refuses_a_labelled_pod(
    memory: MemoryCluster,
) -> None:
    wanted = labelled(await team(memory))
    unsteady = Unsteady(memory, *(Unavailable("the API server restarts") for _ in range(1000)))
    async with webhook(unsteady, watching=False) as running:  # type: ignore[arg-type]
        said = await refused(running, wanted, within="0.3s")

    assert said.startswith("503 trialwatch (lookup-failed): ")
    assert said.endswith("the API server restarts")


async def test_a_look_up_ends_in_time_if_the_cluster_never_answers(memory: MemoryCluster) -> None:
    class Silent(Unsteady):
        async def get(self, ref: Ref) -> JsonObject:
            await asyncio.Event().wait()
            return await self._cluster.get(ref)

    wanted = labelled(await team(memory))
    async with webhook(Silent(memory), watching=False) as running:  # type: ignore[arg-type]
        said = await refused(running, wanted, within="0.2s")

    assert "(lookup-failed)" in said
    assert "the API server did not answer in time" in said


async def test_a_forbidden_look_up_is_not_retried(memory: MemoryCluster) -> None:
    wanted = labelled(await team(memory))
    unsteady = Unsteady(memory, Forbidden("jobs is forbidden"))
    async with webhook(unsteady, watching=False) as running:  # type: ignore[arg-type]
        said = await refused(running, wanted)

    assert said.startswith("503 trialwatch (lookup-failed): ")
    assert "jobs is forbidden" in said
    assert unsteady.failures == []


async def test_a_pod_without_a_sign_of_a_trial_passes_whatever_the_webhook_may_read(
    memory: MemoryCluster,
) -> None:
    """A stranger's Job in a namespace with Katib's label, owned by an operator of any kind."""
    operator = object_of("operators.example/v1", "Backup", "nightly", metadata={"uid": "u"})
    stranger = pod(await memory.create(job("nightly-1", operator)))
    job_of_stranger = await memory.get(
        Ref(api_version="batch/v1", kind="Job", namespace="team", name="nightly-1")
    )

    class NoRights(Unsteady):
        async def get(self, ref: Ref) -> JsonObject:
            if ref.kind == "Backup":
                raise Forbidden("backups is forbidden")
            return job_of_stranger

    async with webhook(NoRights(memory), watching=False) as running:  # type: ignore[arg-type]
        response = await running.review(stranger)

        assert response == {"uid": "uid-1", "allowed": True}
        labels = {"verdict": "skip", "reason": "owner-unknown"}
        assert await running.metric("trialwatch_webhook_reviews_total", **labels) == 1


# --- probes, metrics, internal errors ---


async def test_it_is_ready_when_nothing_is_missing() -> None:
    async with webhook() as running:
        assert (await running.get("/readyz")).status == 200
        running.missing.append("Trial (kubeflow.org/v1beta1) has not been listed yet")
        answer = await running.get("/readyz")
        assert (await running.get("/healthz")).status == 200

    assert answer.status == 503
    assert answer.text == "Trial (kubeflow.org/v1beta1) has not been listed yet\n"


async def test_its_metrics_count_the_cached_objects(memory: MemoryCluster) -> None:
    await team(memory)
    async with webhook(memory) as running:
        for kind in ("Trial", "Suggestion", "Job"):
            assert await running.metric("trialwatch_webhook_cached_objects", kind=kind) == 1
            assert await running.metric("trialwatch_webhook_cache_up_to_date", kind=kind) == 1


async def test_an_internal_error_refuses_the_pod_without_showing_the_trace(
    memory: MemoryCluster,
) -> None:
    class Broken(Registry):
        async def command_of(self, *_: object) -> ImageCommand:
            raise ZeroDivisionError

    wanted = await team(memory)
    del wanted["spec"]["containers"][0]["command"]
    async with webhook(memory, registry=Broken()) as running:
        response = await running.review(wanted)
        assert await running.metric("trialwatch_webhook_faults_total") == 1

    assert not response["allowed"]
    assert response["status"]["code"] == 500
    assert "Zero" not in json.dumps(response)


async def test_concurrent_requests_do_not_mix(memory: MemoryCluster) -> None:
    wanted = await team(memory)
    async with webhook(memory) as running:

        async def one(number: int) -> bool:
            body = json.dumps(asked(wanted if number % 2 else pod(), uid=f"u{number}"))
            answer = json.loads((await running.post(body.encode())).text)["response"]
            return answer["uid"] == f"u{number}" and ("patch" in answer) == bool(number % 2)

        assert all(await asyncio.gather(*(one(number) for number in range(60))))
