"""A decision looks up only what it needs, in order, and handles each kind of answer."""

from __future__ import annotations

from typing import Any

import pytest

from api.types import JsonObject
from tests.webhook.golden_cluster import NAMESPACE, Cluster, cluster_of, shared_cluster
from webhook.model.config import Config
from webhook.model.images import ImageCommand
from webhook.model.lookups import (
    ImageLookup,
    ImageUnknown,
    LookupFailed,
    ObjectLookup,
)
from webhook.model.reasons import Reason
from webhook.model.verdicts import Inject, PodContext, Refuse, Skip
from webhook.pods.decision import decide_on_pod


def reference(kind: str, name: str, version: str = "batch/v1") -> JsonObject:
    return {"apiVersion": version, "kind": kind, "name": name, "uid": "u"}


def pod(*owners: JsonObject, labels: JsonObject | None = None, **container: object) -> Any:  # noqa: ANN401 - JSON
    training = {"name": "training", "image": "i", "command": ["./train"], **container}
    metadata = {"labels": labels or {}, "ownerReferences": [*owners], "annotations": {}}
    return {"metadata": metadata, "spec": {"containers": [training]}}


def asked(cluster: Cluster) -> list[str]:
    """Return the look-ups, as KIND/NAME."""
    return [
        question.image if isinstance(question, ImageLookup) else f"{question.kind}/{question.name}"
        for question in cluster.asked
    ]


def test_a_pod_without_owners_and_labels_needs_no_look_up() -> None:
    cluster = shared_cluster()

    assert cluster.judge(pod()) == Skip(Reason.NOBODYS_TRIAL)
    assert asked(cluster) == []


def test_a_pod_that_asks_for_collection_without_a_trial_needs_no_look_up() -> None:
    cluster = shared_cluster()
    collected = pod(reference("Vault", "v"), labels={"trialwatch.dev/collect": "true"})
    collected["metadata"]["annotations"] = {
        "trialwatch.dev/metrics": "loss",
        "trialwatch.dev/trial": "t",
    }

    assert isinstance(cluster.judge(collected), Inject)
    assert asked(cluster) == []


def test_a_pod_without_a_trial_passes_even_if_its_spec_is_not_valid() -> None:
    assert shared_cluster().judge({"spec": {"containers": 7}}) == Skip(Reason.NOBODYS_TRIAL)


def test_the_job_is_looked_up_then_the_trial_then_its_suggestion() -> None:
    cluster = shared_cluster()

    assert isinstance(cluster.judge(pod(reference("Job", "mnist-1"))), Inject)
    assert asked(cluster) == ["Job/mnist-1", "Trial/mnist-1", "Suggestion/mnist"]


def test_a_pod_that_a_trial_owns_itself_needs_no_job() -> None:
    cluster = shared_cluster()
    owned = pod(
        reference("Job", "nightly-29"), reference("Trial", "push-1", "kubeflow.org/v1beta1")
    )

    assert cluster.judge(owned).reason is Reason.PUSHES
    assert asked(cluster) == ["Trial/push-1"]


def test_a_trial_of_another_api_version_is_an_owner_like_any_other() -> None:
    cluster = shared_cluster()

    cluster.judge(pod(reference("Trial", "mnist-1", "kubeflow.org/v1")))

    assert asked(cluster) == ["Trial/mnist-1"]
    assert isinstance(cluster.asked[0], ObjectLookup)
    assert cluster.asked[0].api_version == "kubeflow.org/v1"


def test_one_owner_that_fails_does_not_hide_another_that_leads_to_a_trial() -> None:
    verdict = shared_cluster().judge(pod(reference("Vault", "v"), reference("Job", "mnist-1")))

    assert verdict.reason is Reason.INJECTED


LABELLED: JsonObject = {"katib.kubeflow.org/trial": "mnist-1"}
"""The sign of a trial."""


def test_one_failed_look_up_is_enough_to_refuse_a_labelled_pod() -> None:
    owners = reference("Job", "nightly-29"), reference("Vault", "v")

    verdict = shared_cluster().judge(pod(*owners, labels=LABELLED))

    assert isinstance(verdict, Refuse)
    assert verdict.reason is Reason.LOOKUP_FAILED
    assert "Vault team/v" in str(verdict)
    assert "403" in str(verdict)


def test_a_failed_look_up_lets_a_pod_without_a_sign_of_a_trial_pass() -> None:
    verdict = shared_cluster().judge(pod(reference("Job", "nightly-29"), reference("Vault", "v")))

    assert isinstance(verdict, Skip)
    assert verdict.reason is Reason.OWNER_UNKNOWN
    assert "Vault team/v" in str(verdict)
    assert "403" in str(verdict)


def test_an_owner_that_does_not_exist_is_named() -> None:
    verdict = shared_cluster().judge(pod(reference("Job", "no-such")))

    assert isinstance(verdict, Skip)
    assert verdict.reason is Reason.OWNER_UNKNOWN
    assert "Job team/no-such (batch/v1) does not exist" in str(verdict)


def test_a_node_is_never_looked_up() -> None:
    cluster = shared_cluster()

    verdict = cluster.judge(pod(reference("Node", "n1", "v1")))

    assert verdict == Skip(Reason.NOBODYS_TRIAL), "a static pod is its node's"
    assert asked(cluster) == []


@pytest.mark.parametrize("version", ["a/b/c", "batch/v1"])
def test_a_malformed_owner_reference_counts_as_a_failed_look_up(version: str) -> None:
    broken = {**reference("", "x", version)}

    assert shared_cluster().judge(pod(broken, labels=LABELLED)).reason is Reason.LOOKUP_FAILED
    assert shared_cluster().judge(pod(broken)).reason is Reason.OWNER_UNKNOWN


def test_an_owner_that_is_not_valid_counts_as_a_failed_look_up() -> None:
    cluster = cluster_of([{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}}])
    cluster.objects["batch/v1", "Job", "j"] = {"metadata": {"ownerReferences": "none"}}

    verdict = cluster.judge(pod(reference("Job", "j"), labels=LABELLED))

    assert verdict.reason is Reason.LOOKUP_FAILED
    assert "metadata.ownerReferences" in str(verdict)


@pytest.mark.parametrize("kind", ["Trial", "Suggestion"])
def test_a_trial_or_suggestion_that_cannot_be_looked_up_is_refused(kind: str) -> None:
    cluster = shared_cluster()
    document = pod(reference("Job", "mnist-1"))
    decision = decide_on_pod(document, PodContext(namespace=NAMESPACE), Config())
    refusal: object = None
    try:
        question = next(decision)
        while True:
            answer = cluster.answer(question)
            assert isinstance(question, ObjectLookup)
            question = decision.send(
                LookupFailed("504: timed out") if question.kind == kind else answer
            )
    except StopIteration as end:
        refusal = end.value

    assert isinstance(refusal, Refuse)
    assert refusal.reason is Reason.LOOKUP_FAILED
    assert f"{kind} team/mnist" in str(refusal)
    assert "504: timed out" in str(refusal)


def test_the_image_is_looked_up_only_if_the_pod_has_no_command() -> None:
    cluster = shared_cluster(ImageCommand(entrypoint=("/train",)))
    labelled = {"katib.kubeflow.org/trial": "mnist-1"}
    without = pod(labels=labelled, image="example/x:1", command=[])
    without["spec"] |= {
        "imagePullSecrets": [{"name": "a"}, {"name": "b"}],
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
    }

    cluster.judge(pod(labels=labelled, image="example/x:1"))
    assert not any(isinstance(question, ImageLookup) for question in cluster.asked)
    assert isinstance(cluster.judge(without), Inject)
    assert cluster.asked[-1] == ImageLookup(
        image="example/x:1", namespace=NAMESPACE, pull_secrets=("a", "b"), architecture="arm64"
    )


def test_the_image_of_a_pod_that_is_refused_anyway_is_not_looked_up() -> None:
    cluster = shared_cluster(ImageCommand(entrypoint=("/train",)))

    verdict = cluster.judge(pod(labels={"katib.kubeflow.org/trial": "one-group-1"}, command=[]))

    assert verdict.reason is Reason.FILTER_WRONG
    assert asked(cluster) == ["Trial/one-group-1"]


def test_a_container_with_the_collectors_name_cannot_be_the_trainer() -> None:
    ours = "metrics-logger-and-collector"
    collected = pod(labels={"trialwatch.dev/collect": "true"}, name=ours)
    collected["metadata"]["annotations"] = {
        "trialwatch.dev/metrics": "loss",
        "trialwatch.dev/container": ours,
        "trialwatch.dev/trial": "t",
    }

    assert shared_cluster().judge(collected).reason is Reason.NAME_TAKEN


def test_the_name_of_the_request_is_used_if_the_pod_has_none() -> None:
    collected = pod(labels={"trialwatch.dev/collect": "true"})
    collected["metadata"]["annotations"] = {"trialwatch.dev/metrics": "loss"}

    verdict = shared_cluster().judge(collected, name="fit-1")

    assert isinstance(verdict, Inject)
    assert verdict.plan.labels["katib.kubeflow.org/trial"] == "fit-1"


@pytest.mark.parametrize("source", ["stdout", "file"])
def test_the_message_says_why_the_command_of_an_image_is_unknown(source: str) -> None:
    cluster = cluster_of([])
    cluster.image = ImageUnknown("ghcr.io answers with status 429")
    collected = pod(labels={"trialwatch.dev/collect": "true"}, command=[])
    collected["metadata"]["annotations"] = {
        "trialwatch.dev/metrics": "loss",
        "trialwatch.dev/trial": "t",
        "trialwatch.dev/source": source,
        **({"trialwatch.dev/path": "/logs/metrics.log"} if source == "file" else {}),
    }

    verdict = cluster.judge(collected)

    if isinstance(verdict, Inject):
        assert source == "file"
        text = next(str(note) for note in verdict.warnings if note.reason is Reason.IMAGE_SILENT)
    else:
        assert source == "stdout"
        assert verdict.reason is Reason.COMMAND_UNKNOWN
        text = str(verdict)
    assert "ghcr.io answers with status 429" in text
