"""The Helm chart on a real cluster: it takes over, upgrades, goes, and what is stored stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.release.__main__ import chart_files, package
from tests.cluster.client import Cluster, Object
from tests.cluster.experiments import X, begun, searched, true_conditions
from tests.cluster.go_programs import program
from tests.cluster.installation import NAMESPACE, install, release_volumes
from tests.cluster.trials import counted
from tests.manifests.kustomize import command

pytestmark = pytest.mark.alone

RELEASE = "trialwatch"
PARAMETER = ("print", f"x={X}")
REPLICAS = {
    "katib-db-manager": 1,
    "trialwatch-controller": 2,
    "trialwatch-suggestion": 2,
    "trialwatch-webhook": 2,
}


class Helm:
    """helm, on a cluster, with the chart of this tree."""

    def __init__(self, kubeconfig: Path, chart: Path) -> None:
        self._kubeconfig = kubeconfig
        self._chart = chart
        self._helm = os.environ.get("TRIALWATCH_HELM") or str(program("helm"))

    def install(self, *flags: str) -> None:
        """Install the chart; return when all programs are ready."""
        self.run("install", RELEASE, str(self._chart), *flags, "--wait", "--timeout=600s")

    def upgrade(self, *flags: str) -> None:
        """Change values of the release; return when all programs are ready."""
        self.run("upgrade", RELEASE, str(self._chart), *flags, "--wait", "--timeout=600s")

    def uninstall(self) -> None:
        """Remove the release; return when its objects are gone."""
        self.run("uninstall", RELEASE, "--wait", "--timeout=600s")

    def run(self, *argv: str) -> str:
        """Run helm; return what it prints."""
        where = (f"--kubeconfig={self._kubeconfig}", f"--namespace={NAMESPACE}")
        done = subprocess.run(
            [self._helm, *argv, *where], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"helm {' '.join(argv)}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def helm(cluster: Cluster, kubeconfig: Path, tmp_path: Path) -> Iterator[Helm]:
    """Give helm; afterwards the cluster has the installation that the other tests expect."""
    package(chart_files(command()), tmp_path / "chart.tgz")
    found = Helm(kubeconfig, tmp_path / "chart.tgz")
    try:
        yield found
    finally:
        if RELEASE in found.run("list", "--short").split():
            found.uninstall()
        release_volumes(cluster)
        install(cluster)


def deployed(cluster: Cluster, name: str) -> Object:
    """Return the spec of a Deployment."""
    spec: Object = (cluster.get("deployments", NAMESPACE, name) or {})["spec"]
    return spec


def test_the_chart_takes_over_upgrades_and_goes_and_the_observations_stay(
    cluster: Cluster, namespace: str, helm: Helm
) -> None:
    # Over the installation by kustomize, while trials run.
    first = begun(
        cluster, namespace, searched("first", ["1", "2"], "count", "20", "1000", *PARAMETER)
    )
    first.when("trials that run", lambda found: found.get("status", {}).get("trialsRunning") == 2)
    helm.install("--take-ownership", "--force-conflicts")
    assert true_conditions(first.end()) >= {"Succeeded"}
    trials = [one["metadata"]["name"] for one in first.trials()]
    assert first.rows(trials) == dict.fromkeys(trials, counted(20))

    # An upgrade changes what its values say.
    helm.upgrade(
        "--reuse-values", "--force-conflicts", "--set=auth=permissive,controller.replicas=1"
    )
    assert deployed(cluster, "trialwatch-controller")["replicas"] == 1
    env = deployed(cluster, "katib-db-manager")["template"]["spec"]["containers"][0]["env"]
    assert {one["name"]: one.get("value") for one in env}["AUTH"] == "permissive"
    assert first.rows(trials) == dict.fromkeys(trials, counted(20))

    # Gone, but for the CRDs with what is in them, and the volume.
    helm.uninstall()
    assert cluster.listed("deployments", NAMESPACE) == []
    assert [one["metadata"]["name"] for one in first.trials()] == trials

    # A new installation goes on with them.
    helm.install()
    assert {one: deployed(cluster, one)["replicas"] for one in REPLICAS} == REPLICAS
    assert first.rows(trials) == dict.fromkeys(trials, counted(20))
    second = begun(
        cluster, namespace, searched("second", ["1", "2"], "count", "3", "1", *PARAMETER)
    )
    assert true_conditions(second.end()) >= {"Succeeded"}
    first.delete()
    second.delete()
