"""`trialwatch explain`: what the webhook says about a pod of a cluster, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.types import Json
from kube.cluster import Ref
from kube.testing.apiserver import ApiServer, served
from kube.testing.memory import MemoryCluster
from tests.architecture.tree import ROOT
from tests.webhook.running_webhook import patched, webhook
from tests.webhook.trial_objects import job, object_of, pod, team
from trialwatch.__main__ import main
from webhook.pods.selectors import entries_for, matches

NAMESPACE = Ref(api_version="v1", kind="Namespace", name="team")


INJECTING = {"metadata": {"labels": {"katib.kubeflow.org/metrics-collector-injection": "enabled"}}}


class Clock:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> MemoryCluster:
    return MemoryCluster(namespaces=("team", "kubeflow"), now=clock)


@pytest.fixture
async def api(memory: MemoryCluster) -> AsyncIterator[ApiServer]:
    async with served(memory) as server:
        yield server


def registration() -> dict[str, Any]:
    """Return the configuration of the manifests."""
    path = ROOT / "manifests" / "base" / "webhook" / "webhook-configuration.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text())
    return document


async def injected(memory: MemoryCluster, wanted: dict[str, Any]) -> dict[str, Any]:
    async with webhook(memory) as running:
        return dict(patched(wanted, await running.review(wanted)))


async def create(memory: MemoryCluster, document: dict[str, Any], name: str = "p") -> None:
    metadata = {**document["metadata"], "name": name, "namespace": "team"}
    await memory.create({**document, "metadata": metadata})


class Explain:
    def __init__(self, api: ApiServer, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._kubeconfig = str(api.write_kubeconfig(folder / "kubeconfig"))
        self._capsys = capsys

    async def __call__(self, what: str = "p") -> tuple[int, str]:
        words = ["explain", what, "-n", "team", "--kubeconfig", self._kubeconfig]
        status = await asyncio.to_thread(main, words)
        captured = self._capsys.readouterr()
        return status, captured.out + captured.err


@pytest.fixture
def explain(api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Explain:
    return Explain(api, tmp_path, capsys)


async def test_a_pod_with_its_collector_is_well(memory: MemoryCluster, explain: Explain) -> None:
    await create(memory, await injected(memory, await team(memory)))

    status, text = await explain()

    assert status == 0
    assert text.splitlines() == [
        "Pod team/p (v1)",
        "  belongs to Trial team/mnist-1 (kubeflow.org/v1beta1)",
        "  injected: the pod gets the collector, and the launcher runs the trainer",
        "  the pod has the collector; read its log with: kubectl logs -n team p -c metrics-logger-and-collector",
    ]


async def test_the_explanation_of_a_pod_without_a_trial_says_how_to_collect_its_metrics(
    memory: MemoryCluster, explain: Explain
) -> None:
    await create(memory, pod())

    status, text = await explain("pod/p")

    assert status == 0
    assert "nobodys-trial: " in text
    assert "set the label katib.kubeflow.org/trial in its job's pod template" in text


async def test_a_pod_without_its_collector_where_no_webhook_is_registered(
    memory: MemoryCluster, explain: Explain
) -> None:
    await create(memory, await team(memory))

    status, text = await explain()

    assert status == 2
    assert "the pod does not have the container metrics-logger-and-collector" in text
    assert "MutatingWebhookConfiguration trialwatch-webhook does not exist; install it" in text


async def test_a_pod_that_no_selector_matches(memory: MemoryCluster, explain: Explain) -> None:
    await memory.create(registration())
    await create(memory, await team(memory))

    status, text = await explain()

    assert status == 2
    assert "Label the namespace katib.kubeflow.org/metrics-collector-injection=enabled" in text


async def test_a_pod_that_was_there_before_the_webhook(
    explain: Explain, clock: Clock, memory: MemoryCluster
) -> None:
    await memory.patch(NAMESPACE, INJECTING)
    await create(memory, await team(memory))
    clock.now += timedelta(hours=1)
    await memory.create(registration())

    status, text = await explain()

    assert status == 2
    assert "the pod is older than the webhook's configuration; create it again" in text


async def test_a_pod_that_the_webhook_should_have_been_asked_about(
    memory: MemoryCluster, clock: Clock, explain: Explain
) -> None:
    await memory.patch(NAMESPACE, INJECTING)
    await memory.create(registration())
    clock.now += timedelta(hours=1)
    await create(memory, await team(memory))

    status, text = await explain()

    assert status == 2
    entries = "owned.trialwatch.dev and jobs.trialwatch.dev"
    assert f"the pod's labels match {entries} of the webhook's configuration; either" in text
    assert "the webhook was away when the pod was created" in text


async def test_the_explanation_of_a_refused_job_says_why_it_gets_no_pod(
    memory: MemoryCluster, explain: Explain
) -> None:
    wanted = await team(memory, primaryContainerName="train")
    mnist = Ref(api_version="batch/v1", kind="Job", namespace="team", name="mnist-1")
    template = {"metadata": {}, "spec": wanted["spec"]}
    await memory.patch(mnist, {"spec": {"template": template}})

    status, text = await explain("job/mnist-1")

    assert status == 2
    assert "Job team/mnist-1 (batch/v1)" in text
    assert "belongs to Trial team/mnist-1" in text
    assert "refused: no-container: " in text
    assert "so the job gets no pod" in text


async def test_a_job_that_will_get_its_collector_is_well(
    memory: MemoryCluster, explain: Explain
) -> None:
    wanted = await team(memory)
    mnist = Ref(api_version="batch/v1", kind="Job", namespace="team", name="mnist-1")
    await memory.patch(mnist, {"spec": {"template": {"spec": wanted["spec"]}}})

    status, text = await explain("job/mnist-1")

    assert (status, "injected: " in text) == (0, True)


async def test_a_refused_pod_that_is_there_nevertheless(
    memory: MemoryCluster, explain: Explain
) -> None:
    await create(memory, await team(memory, primaryContainerName="train"))

    status, text = await explain()

    assert status == 2
    assert "the pod exists nevertheless:" in text
    assert "the webhook is not registered" in text


async def test_the_settings_in_force_are_taken(memory: MemoryCluster, explain: Explain) -> None:
    config = "runtime: {metricsCollectors: [{kind: StdOut, image: ''}]}"
    settings = object_of("v1", "ConfigMap", "katib-config", data={"katib-config.yaml": config})
    settings["metadata"]["namespace"] = "kubeflow"
    await memory.create(settings)
    await create(memory, await team(memory))

    _, text = await explain()

    assert "refused: config-incomplete: " in text


async def test_the_contexts_namespace_is_meant_where_none_is_named(
    memory: MemoryCluster, api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await create(memory, pod())
    kubeconfig = api.write_kubeconfig(tmp_path / "kubeconfig", namespace="team")
    words = ["explain", "p", "--kubeconfig", str(kubeconfig)]

    assert await asyncio.to_thread(main, [*words, "--context", "here"]) == 0
    assert capsys.readouterr().out.startswith("Pod team/p (v1)")
    assert await asyncio.to_thread(main, [*words, "--context", "there"]) == 2
    assert "there is no context there in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("none", "Pod team/none"),
        ("job/none", "Job team/none"),
        ("cat/p", "'cat/p' is not a pod; write a pod's name, or job/NAME"),
        ("job/", "is not a pod"),
    ],
)
async def test_what_is_not_there_is_named(explain: Explain, what: str, says: str) -> None:
    status, text = await explain(what)

    assert status == 2
    assert says in text


async def test_a_job_without_a_template_has_no_pod(memory: MemoryCluster, explain: Explain) -> None:
    await memory.create(job("empty"))

    assert "has no pod template" in (await explain("job/empty"))[1]


# --- selectors ---


@pytest.mark.parametrize(
    ("selector", "labels", "says"),
    [
        (None, {}, True),
        ({}, {"a": "1"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "2"}, False),
        ({"matchLabels": {"a": "1", "b": "2"}}, {"a": "1"}, False),
        (
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]},
            {"a": "2"},
            True,
        ),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, {}, True),
        (
            {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]},
            {"a": "1"},
            False,
        ),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {"a": ""}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {"a": "1"}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Near"}]}, {"a": "1"}, False),
        (
            {
                "matchLabels": {"a": "1"},
                "matchExpressions": [{"key": "b", "operator": "Exists"}],
            },
            {"a": "1"},
            False,
        ),
    ],
)
def test_a_selector_means_what_it_means_to_kubernetes(
    selector: Json, labels: dict[str, str], *, says: bool
) -> None:
    assert matches(selector, labels) is says


def test_the_entries_of_the_manifests_share_the_pods_among_them() -> None:
    labelled = {"katib.kubeflow.org/trial": "t"}
    injecting = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}

    def asked(on_pod: dict[str, str], on_namespace: dict[str, str]) -> list[str]:
        return list(entries_for(registration(), on_pod, on_namespace))

    assert asked({}, {}) == []
    assert asked({}, injecting) == ["owned.trialwatch.dev", "jobs.trialwatch.dev"]
    assert "labelled.trialwatch.dev" in asked(labelled, {})
    assert asked({"trialwatch.dev/collect": "true"}, {}) == ["collected.trialwatch.dev"]
