"""An installation changes to another overlay by applying it, with no field of the first in the way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.binaries import programs
from tests.cluster.client import Cluster
from tests.cluster.control_plane import control_plane
from tests.cluster.installation import OVERLAYS
from tests.manifests.kustomize import objects

pytestmark = pytest.mark.leaves_behind("descriptor", reason="the client of all tests here")

NAMES = ("standalone", "postgres", "mysql")


@pytest.fixture(scope="module")
def api_server(tmp_path_factory: pytest.TempPathFactory, kubeconfig: Path) -> Iterator[Cluster]:
    """An API server of this test's own: no program runs there."""
    del kubeconfig  # where no cluster is, Kubernetes was not built
    with control_plane(tmp_path_factory.mktemp("plane")) as plane:
        cluster = Cluster(plane.kubeconfig("tester"), str(programs() / "kubectl"))
        yield cluster
        cluster.close()


@pytest.mark.parametrize(("first", "second"), [*itertools.permutations(NAMES, 2)])
def test_each_overlay_can_be_applied_over_each_other(
    api_server: Cluster, first: str, second: str
) -> None:
    for name in (first, second):
        api_server.kubectl("apply", "--server-side", f"--kustomize={OVERLAYS / name}")

    found = api_server.get("deployments", "kubeflow", "katib-db-manager") or {}
    (wanted,) = (
        one
        for one in objects(OVERLAYS / second)
        if (one["kind"], one["metadata"]["name"]) == ("Deployment", "katib-db-manager")
    )
    assert found["spec"]["strategy"] == wanted["spec"]["strategy"]
    (container,) = found["spec"]["template"]["spec"]["containers"]
    (rendered,) = wanted["spec"]["template"]["spec"]["containers"]
    assert container["args"] == rendered["args"]
    assert container.get("envFrom") == rendered.get("envFrom")
    assert [one["name"] for one in container["env"]] == [one["name"] for one in rendered["env"]]
