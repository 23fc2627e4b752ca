"""The examples of kinds of jobs, with a trainer that takes no time in place of their training."""

from __future__ import annotations

from typing import Any

import yaml

from tests.architecture.tree import ROOT
from tests.cluster.client import Object
from tests.cluster.trainers import SCRATCH

METRIC, VALUE = "Validation-accuracy", "0.25"
WORKS, FAILS = "0", "7"
COUNTS = ("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount")
_FOLDER = ROOT / "examples" / "jobs"
_PARAMETER = "${trialParameters.learningRate}"


def example(name: str, *words: str) -> Object:
    """Return an example as two trials, of which the second fails.

    All that trains does `words`, prints the metric, and ends with the trial's parameter.
    """
    document: Object = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text())
    document["metadata"].pop("namespace")
    spec = document["spec"]
    (parameter,) = spec["parameters"]
    parameter |= {"parameterType": "categorical", "feasibleSpace": {"list": [WORKS, FAILS]}}
    spec |= {"algorithm": {"algorithmName": "grid"}, **dict.fromkeys(COUNTS, 2)}
    training = ["/trainer", *words, "print", f"{METRIC}={VALUE}", "exit", _PARAMETER]
    _replace_training(spec["trialTemplate"]["trialSpec"], training)
    return document


def _replace_training(part: Any, training: list[str]) -> None:  # noqa: ANN401 - YAML
    """Replace image and command of each container, and what it asks for."""
    if isinstance(part, list):
        for item in part:
            _replace_training(item, training)
    elif isinstance(part, dict):
        if "image" in part:
            trains = _PARAMETER in str(part["command"])
            part |= {"image": SCRATCH, "command": training if trains else ["/trainer"]}
            if "resources" in part:
                part["resources"] = {"requests": {"cpu": "10m"}}
        for item in part.values():
            _replace_training(item, training)
