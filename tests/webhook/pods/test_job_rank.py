"""A pod's name in its job, and what the annotation `trialwatch.dev/reduce` makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from api.reductions import PodReduction, Reduction, read_pod_reduction, reduction_of_source
from tests.webhook.golden_cluster import shared_cluster
from webhook.model.pods import PodMetadata
from webhook.model.verdicts import Inject, PodRefused, Refuse
from webhook.pods.job_rank import pod_reduction

INDEX = "batch.kubernetes.io/job-completion-index"
JOB_INDEX = "jobset.sigs.k8s.io/job-index"
REPLICATED_JOB = "jobset.sigs.k8s.io/replicatedjob-name"
REPLICA = "training.kubeflow.org/replica-index"
TYPE = "training.kubeflow.org/replica-type"


@pytest.mark.parametrize(
    ("labels", "name", "rank_0"),
    [
        ({INDEX: "0"}, "0", True),
        ({INDEX: "10"}, "10", False),
        ({INDEX: "0", JOB_INDEX: "0"}, "0-0", True),
        ({INDEX: "0", JOB_INDEX: "1"}, "1-0", False),
        ({INDEX: "0", JOB_INDEX: "0", REPLICATED_JOB: "node"}, "node.0-0", True),
        ({INDEX: "0", JOB_INDEX: "0", REPLICATED_JOB: "gpu-1"}, "gpu-1.0-0", True),
        ({INDEX: "0", JOB_INDEX: "1", REPLICATED_JOB: "gpu-0"}, "gpu-0.1-0", False),
        ({INDEX: "1", JOB_INDEX: "0", REPLICATED_JOB: "node"}, "node.0-1", False),
        ({INDEX: "0", JOB_INDEX: "0", REPLICATED_JOB: "a:b"}, "0-0", True),
        ({REPLICA: "0", TYPE: "master"}, "master-0", True),
        ({REPLICA: "1", TYPE: "worker"}, "worker-1", False),
        ({REPLICA: "0"}, "0", True),
        ({}, "", False),
        ({INDEX: "first", REPLICA: "x:y"}, "", False),
    ],
)
def test_a_pod_has_the_name_that_its_controller_gives_it(
    labels: dict[str, str],
    name: str,
    rank_0: bool,  # noqa: FBT001 - a case of the table
) -> None:
    found = pod_reduction(PodMetadata(labels=labels), Reduction.MEAN)

    assert found == PodReduction(reduction=Reduction.MEAN, pod=name)
    assert found.is_rank_0 is rank_0


def test_two_replicated_jobs_of_a_jobset_have_pods_of_different_names() -> None:
    indexes = {INDEX: "0", JOB_INDEX: "0"}
    pods = [
        pod_reduction(PodMetadata(labels={**indexes, REPLICATED_JOB: job}), Reduction.MEAN)
        for job in ("chief", "worker")
    ]

    assert [pod and pod.pod for pod in pods] == ["chief.0-0", "worker.0-0"]


def test_the_index_may_be_an_annotation_as_in_older_versions_of_kubernetes() -> None:
    found = pod_reduction(PodMetadata(annotations={INDEX: "3"}), Reduction.RANK0)

    assert found == PodReduction(reduction=Reduction.RANK0, pod="3")


def test_rank_0_needs_an_index_and_any_needs_none() -> None:
    with pytest.raises(PodRefused, match="completionMode: Indexed"):
        pod_reduction(PodMetadata(), Reduction.RANK0)
    assert pod_reduction(PodMetadata(), Reduction.ANY) is None


@pytest.mark.parametrize("how", Reduction)
@pytest.mark.parametrize("pod", ["", "0", "worker-1", "node.0-1"])
def test_the_store_reads_the_mark_that_the_sidecar_writes(how: Reduction, pod: str) -> None:
    written = PodReduction(reduction=how, pod=pod)

    assert read_pod_reduction(written.text) == written
    for prefix in ("", "pod:0a-1b:"):
        assert reduction_of_source(f"{prefix}{written.mark}1f2e-1") == written


@pytest.mark.parametrize(
    "source", ["", "1f2e-1", "one-pod:00-1f-1", "reduce:sum:0:1f-1", "reduce:mean"]
)
def test_other_sources_have_no_mark(source: str) -> None:
    assert reduction_of_source(source) is None


def injected(index: str, how: str, trial: str = "mnist-1") -> Any:  # noqa: ANN401 - a verdict
    training = {"name": "training", "image": "i", "command": ["./train"]}
    metadata = {
        "labels": {INDEX: index, "katib.kubeflow.org/trial": trial},
        "annotations": {"trialwatch.dev/reduce": how},
    }
    pod: Any = {"metadata": metadata, "spec": {"containers": [training]}}
    return shared_cluster().judge(pod)


@pytest.mark.parametrize(
    ("index", "how", "flag"),
    [("1", "mean", "--reduce=mean:1"), ("0", "rank0", "--reduce=rank0:0"), ("1", "any", None)],
)
def test_the_sidecar_gets_the_reduction_and_the_pods_name(
    index: str, how: str, flag: str | None
) -> None:
    verdict = injected(index, how)

    assert isinstance(verdict, Inject)
    flags = [word for word in flags_of(verdict.plan) if word.startswith("--reduce")]
    assert flags == ([] if flag is None else [flag])


@pytest.mark.parametrize(
    ("index", "how", "rules"), [("0", "rank0", 2), ("1", "rank0", 0), ("1", "mean", 2)]
)
def test_with_rank0_only_the_pod_of_rank_0_can_stop_the_trial(
    index: str, how: str, rules: int
) -> None:
    verdict = injected(index, how, trial="stopping-1")

    assert isinstance(verdict, Inject)
    assert flags_of(verdict.plan).count("-stop-rule") == rules


def test_a_reduction_that_does_not_exist_is_refused_with_those_that_do() -> None:
    verdict = injected("0", "median")

    assert isinstance(verdict, Refuse)
    assert "any, rank0, mean, min, max" in verdict.detail


def flags_of(value: object) -> list[str]:
    """Return all texts of a plan's sidecar, wherever they are."""
    found: list[str] = []
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            pending += item.values()
        elif isinstance(item, list | tuple):
            pending += item
        elif hasattr(item, "__dataclass_fields__"):
            pending += [getattr(item, name) for name in item.__dataclass_fields__]
    return found
