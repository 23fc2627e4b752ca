"""Experiments that Katib's own programs can run on the tests' node."""

from __future__ import annotations

from api.names import EXPERIMENT_LABEL
from tests.cluster.client import Cluster, Object
from tests.cluster.katib_installation import TRAINERS_IMAGE
from tests.cluster.trials import TRAINER

SEARCH = "sobol"
"""The algorithm of Katib's one search that is written in Go."""
# One compound command: Katib's redirection is for the last command of a line alone.
_TRAINING = "for i in 1 2; do echo loss=${trialParameters.x}; sleep %d; done"


def experiment(
    name: str, *, trials: int, at_once: int = 2, seconds: int = 1, search: str = SEARCH
) -> Object:
    """Return an experiment of so many trials, each of which prints a loss twice."""
    shell = {"command": ["sh", "-c"], "args": [_TRAINING % seconds]}
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": TRAINER, "image": TRAINERS_IMAGE, **shell}],
    }
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": "loss"},
            "algorithm": {"algorithmName": search},
            "parameters": [
                {
                    "name": "x",
                    "parameterType": "double",
                    "feasibleSpace": {"min": "0.1", "max": "0.9"},
                },
            ],
            "parallelTrialCount": at_once,
            "maxTrialCount": trials,
            "maxFailedTrialCount": 0,
            "trialTemplate": {
                "primaryContainerName": TRAINER,
                "trialParameters": [{"name": "x", "reference": "x"}],
                "trialSpec": {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "spec": {"backoffLimit": 0, "template": {"spec": pod}},
                },
            },
        },
    }


def trials_of(cluster: Cluster, namespace: str, name: str) -> list[Object]:
    """Return the trials of an experiment, those of both controllers."""
    return cluster.listed("trials", namespace, f"{EXPERIMENT_LABEL}={name}")


def measured(trial: Object) -> bool:
    """Return whether a trial's status has the loss that its training printed."""
    (metric,) = trial.get("status", {}).get("observation", {}).get("metrics", [None])
    values = {one["name"]: one["value"] for one in trial["spec"]["parameterAssignments"]}
    return bool(metric) and float(metric["min"]) == float(values["x"])
