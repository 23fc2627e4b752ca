"""Images and security contexts of trainers: the launcher needs nothing of theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.names import COLLECTOR_CONTAINER
from tests.cluster.client import Cluster, Object
from tests.cluster.trainers import OWN_SHELL, STOP_SIGNAL
from tests.cluster.trials import Trials, counted, exit_code, job, over

SIGUSR1 = 10
NOBODY = {"runAsNonRoot": True, "runAsUser": 1000, "runAsGroup": 1000}
LOCKED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def test_a_trainer_without_rights_on_a_read_only_root_is_collected(trials: Trials) -> None:
    container = {"securityContext": {**LOCKED, **NOBODY}}

    name = trials.start(job("locked", "count", "5", "1", container=container))

    assert trials.end(name) == "Complete"
    assert trials.rows(name) == counted(5)


@pytest.fixture
def restricted(cluster: Cluster, namespace: str) -> Iterator[Trials]:
    labels = {
        "katib.kubeflow.org/metrics-collector-injection": "enabled",
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    with cluster.namespace(f"restricted-{namespace[-20:].strip('-')}", labels) as name:
        yield Trials(cluster, name)


def test_the_sidecar_is_admitted_where_pods_are_restricted(restricted: Trials) -> None:
    container = {"securityContext": {**LOCKED, **NOBODY}}

    name = restricted.start(job("restricted", "count", "5", "1", container=container))

    assert restricted.end(name) == "Complete"
    assert restricted.rows(name) == counted(5)


@pytest.mark.parametrize("program", ["sh", "ls"])
def test_the_images_own_program_runs_under_a_name_that_others_know(
    trials: Trials, program: str
) -> None:
    script = "echo $HOME && exit 3"
    container = {"image": OWN_SHELL, "command": [program, "-c", script]}

    name = trials.start(job(f"own-{program}", container=container))

    assert trials.end(name) == "Complete"
    said = [f"own program's word: {word}" for word in (program, "-c", script)]
    assert trials.log(trials.pod(name)).splitlines() == [*said, "loss=0.25"]
    assert trials.rows(name) == [("loss", "0.25")]


def test_the_images_stop_signal_reaches_the_trainer(trials: Trials) -> None:
    words = ("stubborn", "count", "2", "1", "sleep", "600000")
    ends = {"activeDeadlineSeconds": 15}
    container = {"image": STOP_SIGNAL}

    name = trials.start(job("stop-signal", *words, container=container, pod=ends))

    pod = trials.pod_when(name, "end", over)
    assert pod["status"]["reason"] == "DeadlineExceeded"
    assert exit_code(pod) == 128 + SIGUSR1
    # Past the deadline nothing holds the container; the sidecar has the grace period.
    assert trials.rows_when(name, 2) == counted(2)


SMALL = {"cpu": "100m", "memory": "64Mi"}
"""What the sidecar of a Guaranteed pod reserves."""


def test_a_guaranteed_pod_stays_guaranteed(trials: Trials) -> None:
    limits = {"resources": {"limits": {"cpu": "50m", "memory": "64Mi"}}}

    name = trials.start(job("guaranteed", "count", "5", "1", container=limits))

    assert trials.end(name) == "Complete"
    assert trials.pod(name)["status"]["qosClass"] == "Guaranteed"
    assert sidecars_resources(trials.pod(name)) == {"requests": SMALL, "limits": SMALL}
    assert trials.rows(name) == counted(5)


def test_the_defaults_of_a_limit_range_are_for_the_trainer_and_not_for_the_sidecar(
    trials: Trials,
) -> None:
    limits = {"type": "Container", "default": {"cpu": "50m", "memory": "96Mi"}}
    limit_range = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}}
    where = f"--namespace={trials.namespace}"
    spec = {"spec": {"limits": [limits]}}
    trials.cluster.kubectl("create", where, "--filename=-", objects=[{**limit_range, **spec}])

    name = trials.start(job("limited", "count", "5", "1"))

    assert trials.end(name) == "Complete"
    assert trials.pod(name)["status"]["qosClass"] == "Guaranteed"
    assert sidecars_resources(trials.pod(name)) == {"requests": SMALL, "limits": SMALL}
    assert trials.rows(name) == counted(5)


def sidecars_resources(pod: Object) -> Object:
    [sidecar] = (c for c in pod["spec"]["initContainers"] if c["name"] == COLLECTOR_CONTAINER)
    resources: Object = sidecar["resources"]
    return resources
