"""Population-based training with the entry of katib-config that is installed, and its volume."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.names import GENERATION_LABEL, PARENT_LABEL
from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster, Object, until
from tests.cluster.dockerfiles import VERSION
from tests.cluster.experiments import X, begun, searched
from tests.cluster.installation import release_volumes

_RIGHTS = ROOT / "manifests" / "components" / "searches" / "rbac.yaml"
_FILE = "/katib/checkpoint/steps"
_COUNTING = f"echo step >> {_FILE} && echo loss=$(wc -l < {_FILE}) && : {X}"
"""A training that only counts how often it went on."""


@pytest.fixture
def volume(cluster: Cluster, namespace: str) -> Iterator[None]:
    """Install the component; afterwards, let others claim the volume."""
    cluster.kubectl("apply", "--server-side", f"--filename={_RIGHTS}")
    yield
    cluster.kubectl("delete", "experiments", "--all", f"--namespace={namespace}", "--wait")
    claims = ("persistentvolumeclaims", "--all", f"--namespace={namespace}")
    cluster.kubectl("delete", *claims, "--wait", "--timeout=120s")

    def released() -> bool:
        release_volumes(cluster, namespace)
        return namespace not in cluster.kubectl("get", "persistentvolumes", "--output=yaml")

    until("the volume to be released", released)


def _population() -> Object:
    settings = {"suggestion_trial_dir": "/katib/checkpoint", "n_population": "5"}
    settings["truncation_threshold"] = "0.2"
    algorithm = {
        "algorithmName": "pbt",
        "algorithmSettings": [{"name": n, "value": v} for n, v in settings.items()],
    }
    budget = {"parallelTrialCount": 1, "maxTrialCount": 6, "resumePolicy": "FromVolume"}
    document = searched("population", ["0.1", "0.2", "0.3"], algorithm=algorithm, **budget)
    [trainer] = document["spec"]["trialTemplate"]["trialSpec"]["spec"]["template"]["spec"][
        "containers"
    ]
    trainer |= {
        "image": f"docker.io/trialwatch/bash:{VERSION}",
        "imagePullPolicy": "Never",
        "command": ["bash", "-c", _COUNTING],
        "securityContext": {"runAsUser": 1000},  # not the user of the search
    }
    return document


@pytest.mark.usefixtures("volume")
def test_a_population_goes_on_from_the_checkpoints_of_its_parents_as_another_user(
    cluster: Cluster, namespace: str
) -> None:
    experiment = begun(cluster, namespace, _population())
    ended = experiment.end()
    trials = {trial["metadata"]["name"]: trial for trial in experiment.trials()}
    generations = {
        name: int(trial["metadata"]["labels"][GENERATION_LABEL]) for name, trial in trials.items()
    }
    rows = experiment.rows([*trials])

    assert ended["status"]["trialsSucceeded"] == 6
    assert sorted(generations.values()) == [0, 0, 0, 0, 0, 1]
    assert {name: float(found[-1][-1]) for name, found in rows.items()} == {
        name: generation + 1 for name, generation in generations.items()
    }
    [youngest] = [name for name, generation in generations.items() if generation]
    assert generations[trials[youngest]["metadata"]["labels"][PARENT_LABEL]] == 0
