"""A trial whose Job trains in two pods at once: `trialwatch.dev/reduce` makes one value of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.client import Cluster, Object
from tests.cluster.experiments import Experiment, X, begun, searched

INDEX = "$(JOB_COMPLETION_INDEX)"
"""Kubernetes puts the pod's index in its place."""
EXPECTED = {"rank0": "20", "mean": "20.5"}
"""The last loss of pod 0 is 20, that of pod 1 is 21."""


def two_workers(how: str) -> Object:
    """Return an experiment of one trial, whose pods print other values at the same steps."""
    printing = ("print", f"step=1 loss={X}0{INDEX}", "print", f"step=2 loss=2{INDEX}")
    document = searched(how, ["9"], *printing)
    job = document["spec"]["trialTemplate"]["trialSpec"]["spec"]
    job |= {"completions": 2, "parallelism": 2, "completionMode": "Indexed"}
    job["template"]["metadata"] = {"annotations": {"trialwatch.dev/reduce": how}}
    return document


@pytest.fixture
def experiments(cluster: Cluster) -> Iterator[dict[str, Experiment]]:
    labels = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
    with cluster.namespace(f"workers-{secrets.token_hex(3)}", labels) as namespace:
        yield {how: begun(cluster, namespace, two_workers(how)) for how in EXPECTED}


def test_the_objective_of_a_job_of_two_workers_is_that_of_rank_0_or_the_mean(
    experiments: dict[str, Experiment],
) -> None:
    for how, experiment in experiments.items():
        ended = experiment.end()["status"]
        assert ended["trialsSucceeded"] == 1, ended
        [trial] = experiment.trials()
        [loss] = trial["status"]["observation"]["metrics"]
        assert float(loss["latest"]) == float(EXPECTED[how]), how
        assert float(loss["min"]) == float(EXPECTED[how]), how
        rows = experiment.rows([trial["metadata"]["name"]])[trial["metadata"]["name"]]
        of_pod_0, of_pod_1 = [("loss", "900"), ("loss", "20")], [("loss", "901"), ("loss", "21")]
        assert sorted(rows) == sorted(of_pod_0 if how == "rank0" else of_pod_0 + of_pod_1)
