"""The token that the webhook gives to a sidecar is the one that the DB manager accepts."""

from __future__ import annotations

from typing import Any

from api.sidecar import from_argv
from serving.access.callers import Managers, Sidecar, caller_of
from serving.tokens.verifier import Identity
from tests.webhook.golden_cluster import shared_cluster
from webhook.model.config import Config
from webhook.model.verdicts import Inject
from webhook.pods.mutate import mutate

POD: Any = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"katib.kubeflow.org/trial": "mnist-1"}},
    "spec": {"containers": [{"name": "training", "image": "i", "command": ["./train"]}]},
}
CONFIG = Config(db_manager_ca="-----BEGIN CERTIFICATE-----")


def injected(pod: Any, config: Config) -> Any:  # noqa: ANN401 - a document
    verdict = shared_cluster(None).judge(pod, config)
    assert isinstance(verdict, Inject)
    return mutate(pod, verdict.plan)


def test_the_audience_is_that_of_the_trial_whose_metrics_the_sidecar_reports() -> None:
    spec = injected(POD, CONFIG)["spec"]
    [volume] = [it for it in spec["volumes"] if it["name"] == "trialwatch-token"]
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    sidecar = spec["initContainers"][-1]
    args = from_argv(sidecar["args"])

    identity = Identity(
        audiences=(token["audience"],),
        namespace=args.namespace,
        service_account="default",
        pod_uid="u",
        expires=3600,
    )
    caller = caller_of(identity, Managers(), now=0)
    assert caller == Sidecar(namespace=args.namespace, trial=args.trial, pod_uid="u")
    mounts = {mount["name"]: mount for mount in sidecar["volumeMounts"]}
    folder = mounts["trialwatch-token"]["mountPath"]
    assert args.db_manager_token == f"{folder}/{token['path']}"
    assert args.db_manager_ca == f"{folder}/ca.crt"


def test_only_the_sidecar_mounts_the_token() -> None:
    spec = injected(POD, CONFIG)["spec"]

    mounting = [
        container["name"]
        for container in (*spec["initContainers"], *spec["containers"])
        if "trialwatch-token" in {it["name"] for it in container.get("volumeMounts", ())}
    ]
    assert mounting == ["metrics-logger-and-collector"]


def test_a_second_review_of_the_pod_changes_nothing() -> None:
    once = injected(POD, CONFIG)

    assert injected(once, CONFIG) == once


def test_without_the_authorities_the_pod_gets_no_token() -> None:
    pod = injected(POD, Config())

    assert "trialwatch-token" not in str(pod)
    assert "annotations" not in pod["metadata"]
