"""A valid experiment, from Katib's own tests of its validator, and changes that break it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
Change = Callable[[Document], object]

_EXPERIMENT: Document = {
    "apiVersion": "kubeflow.org/v1beta1",
    "kind": "Experiment",
    "metadata": {"name": "fake", "namespace": "team"},
    "spec": {
        "maxTrialCount": 6,
        "objective": {"type": "maximize", "goal": 0.9, "objectiveMetricName": "accuracy"},
        "algorithm": {"algorithmName": "random"},
        "parameters": [
            {
                "name": "lr",
                "parameterType": "int",
                "feasibleSpace": {"min": "1", "max": "5"},
            },
            {
                "name": "momentum",
                "parameterType": "categorical",
                "feasibleSpace": {"list": ["1", "2", "3"]},
            },
        ],
        "trialTemplate": {
            "primaryContainerName": "training-container",
            "trialParameters": [
                {"name": "learningRate", "reference": "lr"},
                {"name": "momentum", "reference": "momentum"},
            ],
            "trialSpec": {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "spec": {
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "containers": [
                                {
                                    "name": "training-container",
                                    "image": "example/mnist:1",
                                    "command": [
                                        "python3",
                                        "mnist.py",
                                        "--lr=${trialParameters.learningRate}",
                                        "--momentum=${trialParameters.momentum}",
                                    ],
                                }
                            ],
                        }
                    }
                },
            },
        },
    },
}


def experiment(*changes: Change) -> Document:
    """Return the experiment with these changes."""
    document = copy.deepcopy(_EXPERIMENT)
    for change in changes:
        change(document)
    return document


def put(path: str, value: object) -> Change:
    """Put a value at a path such as `spec.parameters.0.name`; None removes it."""

    def change(document: Document) -> None:
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        holder: Any = document
        for step in way:
            holder = holder[step] if isinstance(step, int) else holder.setdefault(step, {})
        if value is None:
            del holder[last]
        else:
            holder[last] = value

    return change


def spec(path: str, value: object) -> Change:
    return put(f"spec.{path}", value)


def parameter(index: int, name: str, **reference: str) -> Change:
    return spec(f"trialTemplate.trialParameters.{index}", {"name": name, **reference})


def collected(kind: str, **source: object) -> Change:
    collector: Document = {"collector": {"kind": kind}}
    return spec("metricsCollectorSpec", {**collector, "source": source} if source else collector)


def in_a_config_map(name: str = "templates", namespace: str = "team", key: str = "job") -> Change:
    """Put the template into a ConfigMap."""

    def change(document: Document) -> None:
        template = document["spec"]["trialTemplate"]
        del template["trialSpec"]
        template["configMap"] = {
            "configMapName": name,
            "configMapNamespace": namespace,
            "templatePath": key,
        }
        for outcome in ("success", "failure"):
            template[f"{outcome}Condition"] = f'status.conditions.#(type=="{outcome}")'

    return change
