"""Each pod meets Pod Security's level `restricted`, and has resource requests and limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.manifests.kustomize import OVERLAYS
from tests.manifests.rendered_objects import overlay, pods

PODS = [
    pytest.param(pod["spec"], id=f"{name}-{deployment}")
    for name in OVERLAYS
    for deployment, pod in pods(overlay(name)).items()
]
VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
Spec = dict[str, Any]


@pytest.mark.parametrize("spec", PODS)
def test_it_runs_as_a_numbered_user_that_is_not_root(spec: Spec) -> None:
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0


@pytest.mark.parametrize("spec", PODS)
def test_it_can_get_no_more_rights(spec: Spec) -> None:
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"} & spec.keys()
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["readOnlyRootFilesystem"] is True
        assert not {"privileged", "runAsUser", "procMount"} & context.keys()
        assert all("hostPort" not in port for port in container["ports"])


@pytest.mark.parametrize("spec", PODS)
def test_its_volumes_are_of_the_harmless_kinds(spec: Spec) -> None:
    for volume in spec["volumes"]:
        assert len(volume.keys() & VOLUMES) == 1


@pytest.mark.parametrize("spec", PODS)
def test_it_asks_for_what_it_needs_and_has_a_limit(spec: Spec) -> None:
    for container in spec["containers"]:
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        # No limit of cpu: a throttled webhook delays pods, and a throttled store delays trials.
        assert container["resources"]["limits"].keys() == {"memory"}


@pytest.mark.parametrize("spec", PODS)
def test_no_service_sets_its_variables(spec: Spec) -> None:
    assert spec["enableServiceLinks"] is False
