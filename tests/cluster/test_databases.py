"""The overlays `postgres` and `mysql` with real servers: an experiment's rows are those of its trainers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cluster.client import Cluster, until
from tests.cluster.dockerfiles import VERSION
from tests.cluster.experiments import X, begun, searched, true_conditions, value_of
from tests.cluster.installation import NAMESPACE, OVERLAYS, install
from tests.cluster.trials import counted

pytestmark = pytest.mark.alone

OBJECTS = "deployment,service"


@pytest.fixture(params=["postgres", "mysql"])
def database(cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Install the overlay of a database, and a server to try it; afterwards, SQLite again."""
    kind: str = request.param
    here = tmp_path.resolve()
    components = OVERLAYS.parent / "components"
    image = {"name": kind, "newName": f"trialwatch/{kind}", "newTag": VERSION}
    kustomization = {
        "namespace": NAMESPACE,
        "resources": [os.path.relpath(OVERLAYS / kind, here)],
        "components": [os.path.relpath(components / f"try-{kind}", here)],
        "images": [image],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    try:
        install(cluster, tmp_path)
        yield kind
    finally:
        install(cluster)
        cluster.kubectl(
            "delete", OBJECTS, f"katib-{kind}", f"--namespace={NAMESPACE}", "--ignore-not-found"
        )
        cluster.delete("secrets", NAMESPACE, "trialwatch-database")


def test_an_experiment_has_all_its_rows_also_after_the_db_manager_was_replaced(
    cluster: Cluster, namespace: str, database: str
) -> None:
    values = ["1", "2", "3"]
    words = ("count", "40", "250", "print", f"x={X}")
    experiment = begun(cluster, namespace, searched(database, values, *words))
    experiment.when(
        "trials that run", lambda found: found.get("status", {}).get("trialsRunning") == 3
    )
    where = ("deployment/katib-db-manager", f"--namespace={NAMESPACE}")
    cluster.kubectl("rollout", "restart", *where)

    assert true_conditions(experiment.end()) >= {"Succeeded"}
    cluster.kubectl("rollout", "status", *where, "--timeout=180s")
    trials = {one["metadata"]["name"]: value_of(one) for one in experiment.trials()}
    assert sorted(trials.values()) == values
    assert experiment.rows([*trials]) == dict.fromkeys(trials, counted(40))
    experiment.delete()
    until("the rows to go", lambda: not any(experiment.rows([*trials]).values()))
