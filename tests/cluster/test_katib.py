"""The collector as Katib's own webhook puts it into a pod: one line of katib-config is changed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.cluster.client import Cluster, Object
from tests.cluster.deployments import auth
from tests.cluster.dockerfiles import VERSION
from tests.cluster.trials import TRAINER, Trials, job, over

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("permissive")]

COLLECTOR = "metrics-logger-and-collector"
IMAGE = f"docker.io/trialwatch/collector:{VERSION}"
# It has a shell, as a trainer's image must have there.
TRAINERS_IMAGE = f"docker.io/trialwatch/bash:{VERSION}"
FOLDER = "/var/log/katib"
LOG = f"{FOLDER}/metrics.log"


@pytest.fixture(scope="module")
def permissive(cluster: Cluster) -> Iterator[None]:
    """Let the collectors of Katib's webhook report: they have no token."""
    with auth(cluster, "permissive"):
        yield


def katibs_pod(name: str, command: str) -> Object:
    """Return what becomes of a trial's pod: a shared process namespace, a shell that redirects."""
    mount = {"volumeMounts": [{"name": "metrics-volume", "mountPath": FOLDER}]}
    wrapped = f"{command} 1>{LOG} 2>&1 && echo completed > {FOLDER}/$$$$.pid"
    trainer = {
        "name": TRAINER,
        "image": TRAINERS_IMAGE,
        "command": ["sh", "-c"],
        "args": [wrapped],
        **mount,
    }
    flags = ["-t", name, "-m", "loss", "-o-type", "minimize", "-path", LOG, "-format", "TEXT"]
    collector = {
        "name": COLLECTOR,
        "image": IMAGE,
        "args": [*flags, "-s-db", "katib-db-manager.kubeflow:6789"],
        **mount,
    }
    return {
        "restartPolicy": "Never",
        "shareProcessNamespace": True,
        "containers": [trainer, collector],
        "volumes": [{"name": "metrics-volume", "emptyDir": {}}],
    }


def of_katib(name: str, command: str) -> Object:
    made = job(name)
    made["spec"]["template"] = {"spec": katibs_pod(name, command)}
    return made


def test_a_pod_that_katib_prepared_is_collected(trials: Trials) -> None:
    # Katib's flags have no namespace: to the store a name is one trial's, wherever it runs.
    name = f"katib-{secrets.token_hex(3)}"
    trials.start(of_katib(name, "for i in 3 2 1; do echo loss=$i; sleep 1; done"))

    assert trials.end(name) == "Complete"
    assert trials.rows(name) == [("loss", "3"), ("loss", "2"), ("loss", "1")]
    echoed = [
        line for line in trials.collectors_log(trials.pod(name)).splitlines() if "{" not in line
    ]
    assert echoed == ["loss=3", "loss=2", "loss=1"]


def test_a_trainer_that_fails_there_fails_the_pod(trials: Trials) -> None:
    name = trials.start(of_katib("katib-fails", "(echo loss=3; exit 4)"))

    pod = trials.pod_when(name, "end", over)

    assert pod["status"]["phase"] == "Failed"
