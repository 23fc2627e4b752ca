"""A pod that needs what is not on this machine is refused, with every place at once."""

from __future__ import annotations

from typing import Any

import pytest

from api.errors import SpecError
from runner.pods.pod_spec import EmptyDir, HostPath, ignored_fields, read_pod
from tests.runner.local_pods import container, pod


def faults(document: dict[str, Any]) -> list[str]:
    with pytest.raises(SpecError) as refused:
        read_pod(document)
    return [str(fault) for fault in refused.value.faults]


def test_values_that_stand_in_a_cluster_are_refused_where_they_are_asked_for() -> None:
    env = [
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}},
    ]
    sources = [{"secretRef": {"name": "s"}}]
    found = faults(pod(container("true", env=env, envFrom=sources)))

    assert [line.split(": ")[0] for line in found] == [
        "spec.containers[0].envFrom",
        "spec.containers[0].env[0].valueFrom.secretKeyRef",
        "spec.containers[0].env[1].valueFrom.configMapKeyRef",
        "spec.containers[0].env[2].valueFrom.fieldRef.fieldPath",
    ]
    assert "write the value itself" in found[1]


def test_a_volume_of_a_cluster_is_refused_only_where_it_is_mounted() -> None:
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "pvc"}},
        {"name": "unused", "configMap": {"name": "c"}},
        {"name": "scratch", "emptyDir": {"medium": "Memory"}},
        {"name": "here", "hostPath": {"path": "/data"}},
    ]
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("data", "scratch", "here")]
    [found] = faults(pod(container("true", volumeMounts=mounts), volumes=volumes))
    read = read_pod(pod(container("true", volumeMounts=mounts[1:]), volumes=volumes))

    assert found.startswith("spec.volumes[0].persistentVolumeClaim: ")
    assert read.volumes == {"scratch": EmptyDir(), "here": HostPath(path="/data")}


@pytest.mark.parametrize(
    ("mount", "path"),
    [
        ({"mountPath": "relative"}, "mountPath"),
        ({"mountPath": "/"}, "mountPath"),
        ({"mountPath": "/a", "subPath": "../other"}, "subPath"),
        ({"mountPath": "/a", "subPath": "/etc"}, "subPath"),
        ({"mountPath": "/a", "subPathExpr": "$(A)"}, "subPathExpr"),
    ],
)
def test_a_mount_that_could_lead_anywhere_is_refused(mount: dict[str, str], path: str) -> None:
    volumes = [{"name": "v", "emptyDir": {}}]
    [found] = faults(pod(container("true", volumeMounts=[{"name": "v", **mount}]), volumes=volumes))

    assert found.startswith(f"spec.containers[0].volumeMounts[0].{path}: ")


def test_what_would_act_in_a_cluster_and_not_here_is_named() -> None:
    hooked = container("true", lifecycle={"postStart": {}}, livenessProbe={}, readinessProbe={})

    found = [fault.path for fault in ignored_fields(pod(hooked))]

    assert found == ["spec.containers[0].lifecycle", "spec.containers[0].livenessProbe"]
