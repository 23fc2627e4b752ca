"""Trials as Katib's controller makes them: a Trial, and a job of it that knows nothing of us.

Our own controller is in the cluster, too. It has no part here: what it would have to make for these
Trials is of a kind that is allowed, and that this cluster does not serve.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.client import Object
from tests.cluster.trials import TRAINER, Trials, counted, exit_code, job

KATIB = "/apis/kubeflow.org/v1beta1/namespaces"
STDOUT = {"collector": {"kind": "StdOut"}}


def trial(name: str, **spec: Any) -> Object:  # noqa: ANN401 - of an object
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {"name": name, "labels": {"katib.kubeflow.org/experiment": "mnist"}},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "parameterAssignments": [{"name": "lr", "value": "0.01"}],
            "primaryContainerName": TRAINER,
            "primaryPodLabels": {"batch.kubernetes.io/job-name": name},
            "runSpec": {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun"},
            **spec,
        },
    }


def start(trials: Trials, wanted: Object, *words: str) -> str:
    """Create a Trial and its job, without labels or annotations of trialwatch."""
    made = trials.cluster.request("POST", f"{KATIB}/{trials.namespace}/trials", wanted)
    name = str(wanted["metadata"]["name"])
    plain = job(name, *words)
    plain["spec"]["template"]["metadata"] = {}
    owner = {"apiVersion": made["apiVersion"], "kind": "Trial", "name": name, "controller": True}
    plain["metadata"]["ownerReferences"] = [{**owner, "uid": made["metadata"]["uid"]}]
    return trials.start(plain)


@pytest.mark.parametrize("collector", [{}, {"metricsCollector": STDOUT}], ids=["default", "stdout"])
def test_the_output_of_a_trials_job_is_collected(
    trials: Trials, collector: dict[str, object]
) -> None:
    name = start(trials, trial("mnist-1", **collector), "count", "20", "10")

    assert trials.end(name) == "Complete"
    assert trials.rows(name) == counted(20)
    pod = trials.pod(name)
    assert pod["metadata"]["labels"]["katib.kubeflow.org/trial"] == name
    assert trials.log(pod) in trials.collectors_log(pod)


def test_a_met_rule_stops_the_whole_tree_of_processes_and_the_job_completes(
    trials: Trials,
) -> None:
    algorithm = {"algorithm": {"algorithmName": "random"}}
    suggestion = {"metadata": {"name": "mnist"}, "spec": {**algorithm, "requests": 1}}
    kind = {"apiVersion": "kubeflow.org/v1beta1", "kind": "Suggestion"}
    path = f"{KATIB}/{trials.namespace}/suggestions"
    trials.cluster.request("POST", path, {**kind, **suggestion})
    rule = {"name": "loss", "value": "0.25", "comparison": "less", "startStep": 1}
    wanted = trial("stopped-1", earlyStoppingRules=[rule])

    name = start(trials, wanted, "fork", "fork", "count", "6000", "100")

    assert trials.end(name) == "Complete"
    assert exit_code(trials.pod(name)) == 0
    rows = trials.rows(name)
    assert 5 <= len(rows) < 6000
    assert rows == counted(6000)[: len(rows)]
