"""The cluster of `make test-cluster`, and what its tests share.

`TRIALWATCH_E2E_KUBECONFIG` names the cluster. `make test-cluster` sets it to the node that it
brings up, unless it is set already.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.client import Cluster, cluster_of
from tests.cluster.katib_installation import given, node_with_katib
from tests.cluster.trials import Trials

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "TRIALWATCH_E2E_KUBECONFIG"
OPERATORS_VARIABLE = "TRIALWATCH_E2E_OPERATORS"
"""Set by `make test-operators`, whose cluster has the operators of other kinds of jobs."""
INSTALLING_VARIABLE = "TRIALWATCH_E2E_INSTALLING"
"""Set by `make test-installing`, whose tests take minutes each."""
_FOLDERS = {"operators": OPERATORS_VARIABLE, "installing": INSTALLING_VARIABLE}
collect_ignore = [name for name, wanted in _FOLDERS.items() if not os.environ.get(wanted)]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "alone: no other test of the cluster runs beside this one")


@pytest.fixture(scope="session")
def kubeconfig() -> Path:
    named = os.environ.get(VARIABLE)
    if not named:
        pytest.skip(f"no cluster: say `make test-cluster`, as root, or name one by {VARIABLE}")
    return Path(named)


@pytest.fixture(scope="session")
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    client = cluster_of(kubeconfig)
    client.request("GET", "/version")
    yield client
    client.close()


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the test a namespace of its own, called after it."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    labels = {"katib.kubeflow.org/metrics-collector-injection": "enabled"}
    with cluster.namespace(f"{words[:50].strip('-')}-{secrets.token_hex(3)}", labels) as name:
        yield name


@pytest.fixture(scope="session")
def katib(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give a node of its own with Katib's programs; skip if they are not given."""
    programs = given()
    with (
        node_with_katib(programs, tmp_path_factory.mktemp("katib")) as cluster,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("PATH", f"{Path(cluster.argv()[0]).parent}:{os.environ['PATH']}")
        yield cluster


@pytest.fixture
def trials(cluster: Cluster, namespace: str) -> Trials:
    return Trials(cluster, namespace)
