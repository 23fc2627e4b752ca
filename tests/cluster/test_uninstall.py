"""Uninstalling with trials there ends: in the documented order, and in any other with its remedy."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster, until
from tests.cluster.experiments import X, begun, searched
from tests.cluster.installation import OVERLAYS, install, release_volumes

pytestmark = pytest.mark.alone

OVERLAY = OVERLAYS / "standalone"
SECONDS = 240
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


def shell(cluster: Cluster, script: str, seconds: float) -> None:
    """Run commands of a document; fail if they hang or fail."""
    kubectl = cluster.argv()
    script = f'kubectl() {{ {" ".join(kubectl)} "$@"; }}\n{script}'
    done = subprocess.run(
        ["sh", "-ec", script], capture_output=True, text=True, check=False, timeout=seconds
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("_installed_again", "_trials")
def test_in_the_documented_order_all_goes(cluster: Cluster) -> None:
    started = time.monotonic()

    shell(cluster, documented()[0], SECONDS)

    assert_all_is_gone(cluster)
    assert time.monotonic() - started < SECONDS


@pytest.mark.usefixtures("_installed_again", "_trials")
def test_where_all_was_deleted_at_once_the_remedy_lets_it_go(cluster: Cluster) -> None:
    cluster.kubectl("delete", f"--kustomize={OVERLAY}", "--wait=false")
    until("the programs to go", lambda: not running(cluster))

    shell(cluster, documented()[1], SECONDS)

    until("all to go", lambda: not left(cluster), SECONDS, tell=lambda: left(cluster))


def assert_all_is_gone(cluster: Cluster) -> None:
    assert left(cluster) == ""


def running(cluster: Cluster) -> str:
    labels = "--selector=app.kubernetes.io/part-of=trialwatch"
    return cluster.kubectl("get", "pods", "--namespace=kubeflow", labels, "--output=name")


def left(cluster: Cluster) -> str:
    """Return the names of trialwatch's objects that are not in a namespace, with all CRDs of Katib."""
    kinds = (
        "namespace,customresourcedefinition,clusterrole,clusterrolebinding,priorityclass,"
        "mutatingwebhookconfiguration,validatingwebhookconfiguration"
    )
    labels = "--selector=app.kubernetes.io/part-of=trialwatch"
    return cluster.kubectl("get", kinds, labels, "--output=name", "--ignore-not-found")
