"""Uninstalling with trials there ends: at once, and without the webhook after its documented remedy."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster, until
from tests.cluster.deployments import CONTROLLER, WEBHOOK
from tests.cluster.experiments import X, begun, searched
from tests.cluster.installation import NAMESPACE, OVERLAYS, install, release_volumes

pytestmark = [
    pytest.mark.alone,
    pytest.mark.leaves_behind("descriptor", reason="the client of all tests connects anew"),
]

OVERLAY = OVERLAYS / "standalone"
SECONDS = 600
"""The most that uninstalling takes on a busy machine."""
_BLOCK = re.compile(r"(?:^    .*\n|^\n(?=    ))+", re.MULTILINE)


def documented() -> list[str]:
    """Return the blocks of commands of docs/install.md, "Removing it"."""
    text = (ROOT / "docs" / "install.md").read_text().split("## Removing it\n")[1]
    blocks = [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in _BLOCK.findall(text)]
    return [block.replace("-k trialwatch", f"-k {OVERLAY}") for block in blocks]


@pytest.fixture
def _installed_again(cluster: Cluster) -> Iterator[None]:
    yield
    release_volumes(cluster)
    install(cluster)


@pytest.fixture
def _trials(cluster: Cluster, namespace: str) -> None:
    """Have trials that run, and trials that have ended."""
    values = ["1", "2", "600001", "600002"]
    words = ("print", f"loss={X}", "sleep", X)
    experiment = begun(cluster, namespace, searched("left", values, *words))

    def under_way() -> bool:
        status = experiment.document().get("status", {})
        return (status.get("trialsSucceeded"), status.get("trialsRunning")) == (2, 2)

    until("two trials that have ended, and two that run", under_way)


def shell(cluster: Cluster, script: str, seconds: float) -> str:
    """Run commands of a document; fail if they hang or fail; return what they print."""
    script = f'kubectl() {{ {" ".join(cluster.argv())} "$@"; }}\n{script}'
    done = subprocess.run(
        ["sh", "-ec", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.usefixtures("_installed_again", "_trials")
def test_one_command_removes_all_with_trials_there_even_where_no_controller_runs(
    cluster: Cluster, namespace: str
) -> None:
    without(cluster, CONTROLLER)

    printed = shell(cluster, documented()[0], SECONDS)

    assert "removed the finalizer clean-metrics-in-db of 4 objects of the kind Trial" in printed
    assert left(cluster) == ""
    until("the pods of the trials to go", lambda: not cluster.listed("pods", namespace))
    assert cluster.listed("jobs", namespace) == []


@pytest.mark.usefixtures("_installed_again", "_trials")
def test_where_the_webhook_was_away_the_remedy_lets_all_go(
    cluster: Cluster, namespace: str
) -> None:
    without(cluster, WEBHOOK)
    cluster.kubectl("delete", f"--kustomize={OVERLAY}", "--wait=false")
    until("the programs to go", lambda: not programs(cluster))

    shell(cluster, documented()[-1], SECONDS)

    until("all to go", lambda: not left(cluster), SECONDS, tell=lambda: left(cluster))
    until("the pods of the trials to go", lambda: not cluster.listed("pods", namespace))


def without(cluster: Cluster, program: str) -> None:
    """End all replicas of a program."""
    where = (f"--namespace={NAMESPACE}", f"deployment/{program}")
    cluster.kubectl("scale", *where, "--replicas=0")
    until(f"{program} to go", lambda: not programs(cluster, program))


def programs(cluster: Cluster, name: str = "") -> list[str]:
    selector = f"app.kubernetes.io/name={name}" if name else "app.kubernetes.io/part-of=trialwatch"
    return [pod["metadata"]["name"] for pod in cluster.listed("pods", NAMESPACE, selector)]


def left(cluster: Cluster) -> str:
    """Return the names of trialwatch's objects that are not in a namespace, with all its CRDs."""
    kinds = (
        "namespace,customresourcedefinition,clusterrole,clusterrolebinding,priorityclass,"
        "mutatingwebhookconfiguration,validatingwebhookconfiguration"
    )
    labels = "--selector=app.kubernetes.io/part-of=trialwatch"
    return cluster.kubectl("get", kinds, labels, "--output=name", "--ignore-not-found")
