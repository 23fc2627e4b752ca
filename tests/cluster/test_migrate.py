"""`trialwatch migrate` on a node with Katib's real programs: forth and back under running experiments.

The node is one of its own, because Katib and trialwatch have objects of the same names. Katib's
programs and manifests are given (`katib_installation`); without them, the tests are skipped.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.names import COLLECTOR_CONTAINER
from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster, Object, until
from tests.cluster.experiments import Experiment, begun, true_conditions
from tests.cluster.katib_experiments import experiment, measured, trials_of
from tests.cluster.katib_installation import NAMESPACE, TEAM
from tests.cluster.katib_rows import rows_of

pytestmark = [pytest.mark.alone]

_MANY = 16
"""Trials that last longer than a migration does, two at once."""
_KATIBS = ("katib-controller", "katib-db-manager")
_OURS = (
    "trialwatch-controller",
    "trialwatch-db-manager",
    "trialwatch-suggestion",
    "trialwatch-webhook",
)


class Migration:
    """The command, in a folder of its own, for an administrator of the cluster."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._command = [sys.executable, "-m", "trialwatch", "migrate", str(folder / "migration")]
        self._command += [f"--manifests={ROOT / 'manifests'}", "--images=docker.io/trialwatch"]
        self._command += cluster.argv()[1:2]

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._command, *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> str:
        """Return what it prints; fail unless it succeeds."""
        process = self.start(*words)
        said, _ = process.communicate()
        sys.stdout.write(f"$ trialwatch migrate {' '.join(words)}\n{said}\n")
        assert process.returncode == 0, said
        return said


@pytest.fixture
def migration(katib: Cluster, tmp_path: Path) -> Iterator[Migration]:
    """Give the command; afterwards the cluster is Katib's again."""
    migration = Migration(katib, tmp_path)
    yield migration
    migration.run("--back")


def run_experiment(katib: Cluster, name: str, **wanted: Any) -> Experiment:  # noqa: ANN401 - of the document
    return begun(katib, TEAM, experiment(name, **wanted))


def succeeded(found: Experiment) -> Object:
    document = found.end()
    assert "Succeeded" in true_conditions(document), document["status"]
    return document


def read_by_users(document: Object) -> Object:
    """Return what users, Katib's UI and its client read of an ended experiment."""
    status = document["status"]
    kept = ("conditions", "currentOptimalTrial", "trials", "trialsSucceeded")
    lists = {"succeededTrialList": sorted(status["succeededTrialList"])}
    return {**{key: status[key] for key in kept}, **lists}


def trials_ended(katib: Cluster, name: str, count: int) -> list[Object]:
    """Return the trials of an experiment once so many have succeeded."""

    def look() -> list[Object] | None:
        ended = [one for one in trials_of(katib, TEAM, name) if "Succeeded" in true_conditions(one)]
        return ended if len(ended) >= count else None

    return until(f"{count} trials of {name}", look)


def collectors(katib: Cluster) -> set[str]:
    """Return the images of the collectors of all pods of trials that are there now."""
    found = set()
    for pod in katib.listed("pods", TEAM):
        spec = pod["spec"]
        for one in (*spec["containers"], *spec.get("initContainers", [])):
            if one["name"] == COLLECTOR_CONTAINER:
                found.add(one["image"].rpartition("/")[2].partition(":")[0])
    return found


def replicas(katib: Cluster, names: tuple[str, ...]) -> list[int]:
    """Return how many replicas of each Deployment are ready; -1 for one that does not exist."""
    found = (katib.get("deployments", NAMESPACE, name) for name in names)
    return [one["status"].get("readyReplicas", 0) if one else -1 for one in found]


def as_katib_wrote_them(katib: Cluster) -> Object:
    """Return the objects that a migration changes, without what the API server adds."""
    admission = "/apis/admissionregistration.k8s.io/v1"
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    paths = [
        f"{admission}/mutatingwebhookconfigurations/katib.kubeflow.org",
        f"{admission}/validatingwebhookconfigurations/katib.kubeflow.org",
        *(
            f"{definitions}/{kind}.kubeflow.org"
            for kind in ("experiments", "suggestions", "trials")
        ),
        f"/api/v1/namespaces/{NAMESPACE}/configmaps/katib-config",
        f"/api/v1/namespaces/{NAMESPACE}/services/katib-db-manager",
    ]
    found = {path: katib.request("GET", path) for path in paths}
    return {
        path: {key: document[key] for key in ("webhooks", "spec", "data") if key in document}
        for path, document in found.items()
    }


def test_experiments_go_on_when_trialwatch_takes_over_and_when_katib_comes_back(
    katib: Cluster, migration: Migration
) -> None:
    before = as_katib_wrote_them(katib)
    old = run_experiment(katib, "old", trials=2)
    ended = read_by_users(succeeded(old))
    stored = rows_of(katib, [one["metadata"]["name"] for one in trials_of(katib, TEAM, "old")])
    assert [len(rows) for rows in stored.values()] == [2, 2]
    running = run_experiment(katib, "running", trials=_MANY, seconds=5)
    trials_ended(katib, "running", 1)
    assert collectors(katib) == {"file-metrics-collector"}

    plan = migration.run()
    assert "experiments: 1 running (team/running), 1 ended" in plan
    assert as_katib_wrote_them(katib) == before

    migration.run("--apply")
    assert "nothing left to do" in migration.run("--apply")
    assert replicas(katib, _KATIBS) == [0, 0]
    assert replicas(katib, _OURS) == [2, 1, 2, 2]
    assert len(trials_of(katib, TEAM, "running")) < _MANY, "too few trials to see who goes on"
    assert succeeded(running)["status"]["trialsSucceeded"] == _MANY
    assert all(map(measured, trials_of(katib, TEAM, "running")))
    assert read_by_users(old.document()) == ended
    assert rows_of(katib, stored) == stored

    returning = run_experiment(katib, "returning", trials=_MANY, seconds=5)
    trials_ended(katib, "returning", 1)
    assert collectors(katib) == {"collector"}

    migration.run("--back")
    assert replicas(katib, _KATIBS) == [1, 1]
    assert replicas(katib, _OURS) == [-1, -1, -1, -1]
    assert as_katib_wrote_them(katib) == before
    assert len(trials_of(katib, TEAM, "returning")) < _MANY, "too few trials to see who goes on"
    assert succeeded(returning)["status"]["trialsSucceeded"] == _MANY
    assert all(map(measured, trials_of(katib, TEAM, "returning")))
    assert read_by_users(old.document()) == ended
    assert rows_of(katib, stored) == stored
    succeeded(run_experiment(katib, "anew", trials=2))
    assert "nothing to take back" in migration.run("--back")


@pytest.mark.parametrize("step", ["store", "webhook", "controller"])
def test_killed_in_a_step_it_goes_on_when_it_is_said_again(
    katib: Cluster, migration: Migration, step: str
) -> None:
    before = as_katib_wrote_them(katib)
    running = run_experiment(katib, f"kept-{step}", trials=12, seconds=5)
    trials_ended(katib, f"kept-{step}", 1)
    process = migration.start("--apply")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"{step}: "):
            next(process.stdout), next(process.stdout)
            break
    process.kill()
    process.communicate()

    migration.run("--apply")

    assert replicas(katib, _OURS) == [2, 1, 2, 2]
    assert succeeded(running)["status"]["trialsSucceeded"] == 12
    assert all(map(measured, trials_of(katib, TEAM, f"kept-{step}")))
    migration.run("--back")
    assert as_katib_wrote_them(katib) == before
