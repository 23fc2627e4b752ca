"""The sidecar of a job that runs one pod says so: Kubernetes may start that pod twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.sidecar import from_argv
from tests.webhook.golden_cluster import shared_cluster
from webhook.driver.cluster_lookups import without_job_and_status
from webhook.model.config import Config
from webhook.model.verdicts import Inject
from webhook.pods.mutate import mutate
from webhook.pods.one_pod import only_counts, runs_one_pod

JOB: Any = {"apiVersion": "batch/v1", "kind": "Job"}
COUNTS = [
    ({}, True),
    ({"completions": 1}, True),
    ({"completions": 1, "parallelism": 4}, True),
    ({"parallelism": 1}, True),
    ({"completions": None, "parallelism": None}, True),
    ({"completions": 3, "parallelism": 1}, False),
    ({"completions": 3}, False),
    ({"parallelism": 2}, False),
]


@pytest.mark.parametrize(("counts", "one"), COUNTS, ids=str)
def test_a_job_runs_one_pod_if_one_success_completes_it(counts: Any, one: bool) -> None:  # noqa: ANN401, FBT001 - cases of a table
    job = {**JOB, "metadata": {"name": "a"}, "spec": {**counts, "template": {"spec": {}}}}
    assert runs_one_pod(job) is one
    assert runs_one_pod(only_counts(job)) is one
    assert "template" not in json.dumps(only_counts(job))


@pytest.mark.parametrize(
    "job",
    [
        {},
        {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob"},
        {"apiVersion": "example.com/v1", "kind": "Job"},
    ],
    ids=str,
)
def test_of_jobs_of_other_kinds_it_is_unknown(job: Any) -> None:  # noqa: ANN401 - a document
    assert not runs_one_pod(job)


def test_the_cached_trial_has_the_counts_of_its_job_and_no_template() -> None:
    spec = {"completions": 1, "template": {"spec": {"containers": []}}}
    trial: Any = {"metadata": {"name": "t", "uid": "u"}, "spec": {"runSpec": {**JOB, "spec": spec}}}
    cached = json.loads(without_job_and_status(trial).text)
    assert cached["spec"] == {"runSpec": {**JOB, "spec": {"completions": 1}}}


def test_the_sidecar_of_a_trial_whose_job_runs_one_pod_gets_the_flag() -> None:
    assert from_argv(_args_of_sidecar("katib.kubeflow.org/trial", "mnist-1")).one_pod


def test_a_sidecar_without_a_trial_does_not_get_the_flag() -> None:
    assert not from_argv(_args_of_sidecar("trialwatch.dev/collect", "true")).one_pod


def _args_of_sidecar(label: str, value: str) -> list[str]:
    metadata = {
        "name": "p",
        "labels": {label: value},
        "annotations": {"trialwatch.dev/metrics": "loss"},
    }
    container = {"name": "training", "image": "i", "command": ["./train"]}
    pod: Any = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container]},
    }
    verdict = shared_cluster(None).judge(pod, Config())
    assert isinstance(verdict, Inject)
    mutated: Any = mutate(pod, verdict.plan)
    args: list[str] = mutated["spec"]["initContainers"][-1]["args"]
    return args
