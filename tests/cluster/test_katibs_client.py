"""A client that we did not write, Katib's own SDK, from outside the cluster."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.client import Cluster, until
from tests.cluster.deployments import auth
from tests.cluster.dockerfiles import VERSION
from tests.cluster.experiments import Experiment, X, searched
from tests.cluster.observations import Forwarded
from tests.katibs_sdk import python_with_sdk

pytestmark = pytest.mark.alone

IMAGE = f"docker.io/trialwatch/bash:{VERSION}"
SESSION = Path(__file__).with_name("katib_client_session.py")
PATIENCE_SECONDS = 600


class Session:
    """What a user of the client does, in a namespace of his own."""

    def __init__(self, cluster: Cluster, kubeconfig: Path, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self._kubeconfig = kubeconfig
        self._python = python_with_sdk()

    def hold(self, what: str, argument: str) -> dict[str, Any]:
        """Return what the client answered."""
        environ = {**os.environ, "no_proxy": "*", "PYTHONWARNINGS": "ignore"}
        # It sends no token, and so reads nothing where tokens are read.
        with auth(self.cluster, "off"), Forwarded(self.cluster) as store:
            where = (str(self._kubeconfig), self.namespace, store.address)
            done = subprocess.run(
                (self._python, "-I", str(SESSION), *where, what, argument),
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
                env=environ,
            )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return said

    def log_lines(self, log: list[str]) -> list[str]:
        """Return what the trainer printed, of the sidecar's log."""
        return [line for line in log if not line.startswith("{")]


@pytest.fixture
def session(cluster: Cluster, kubeconfig: Path, namespace: str) -> Session:
    return Session(cluster, kubeconfig, namespace)


def test_an_experiment_is_made_looked_at_continued_and_deleted_by_katibs_client(
    session: Session, tmp_path: Path
) -> None:
    words = ("print", "loss=9", "print", f"loss={X}")
    budget = {"maxTrialCount": 2, "resumePolicy": "LongRunning"}
    document = searched("by-client", ["0.5", "0.4", "0.3"], *words, **budget)
    document["spec"]["trialTemplate"]["retain"] = True  # or its pod takes the log with it
    file = tmp_path / "experiment.json"
    file.write_text(json.dumps(document))

    said = session.hold("experiment", str(file))

    assert said["conditions"] == ["Created", "Running", "Succeeded"]
    assert said["ended"] == [True, False]
    assert said["succeeded"] == said["suggestion"] == 2
    assert said["experiments"] == ["by-client"]
    first = [one["x"] for one in said["trials"]]
    assert len({*first}) == 2
    assert said["optimum"] == [{"x": min(first)}, min(first)]
    assert sorted(said["details"], key=str) == sorted(([{"x": x}, x] for x in first), key=str)
    assert said["metrics"] == [[["loss", "9"], ["loss", x]] for x in first]
    assert [session.log_lines(log) for log in said["logs"]] == [
        ["loss=9", f"loss={x}"] for x in first
    ]
    assert said["later"] == [3, [{"x": "0.3"}, "0.3"]]
    experiment = Experiment(session.cluster, session.namespace, "by-client")
    until("all of it to go", lambda: not experiment.left(), tell=lambda: str(experiment.left()))


def test_a_function_is_tuned_by_katibs_client(session: Session) -> None:
    said = session.hold("tune", IMAGE)

    errors = []
    for trial, metrics, log in zip(said["trials"], said["metrics"], said["logs"], strict=True):
        x = float(trial["x"])
        expected = [f"{(x - 0.5) ** 2 + 1 / epoch:.6f}" for epoch in (1, 2, 3)]
        assert metrics == [["error", error] for error in expected]
        assert session.log_lines(log) == [
            f"epoch {epoch}: error={error} squares" for epoch, error in enumerate(expected, 1)
        ]
        errors.append((float(expected[-1]), expected[-1], trial))
    _, least, best = min(errors, key=lambda one: one[0])
    assert len(errors) == 3
    assert said["optimum"] == [best, least]
