"""All programs start where Pod Security enforces its strictest level."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.client import Cluster
from tests.cluster.experiments import X, begun, searched, true_conditions
from tests.cluster.installation import DEPLOYMENTS, NAMESPACE
from tests.cluster.trials import TRAINER, counted

pytestmark = pytest.mark.alone

ENFORCE = "pod-security.kubernetes.io/enforce"
RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture
def _restricted(cluster: Cluster, namespace: str) -> Iterator[None]:
    """Enforce the level in the namespace of the programs and in that of the test."""
    for name in (NAMESPACE, namespace):
        cluster.kubectl("label", "namespace", name, f"{ENFORCE}=restricted")
    yield
    cluster.kubectl("label", "namespace", NAMESPACE, f"{ENFORCE}-")


@pytest.mark.usefixtures("_restricted")
def test_programs_and_trials_run_where_all_pods_are_restricted(
    cluster: Cluster, namespace: str
) -> None:
    where = f"--namespace={NAMESPACE}"
    cluster.kubectl("rollout", "restart", "deployment", where)
    for deployment in DEPLOYMENTS:
        cluster.kubectl("rollout", "status", f"deployment/{deployment}", where, "--timeout=240s")

    document = searched("restricted", ["1", "2"], "count", "3", "1", "print", f"x={X}")
    job = document["spec"]["trialTemplate"]["trialSpec"]["spec"]
    (trainer,) = (one for one in job["template"]["spec"]["containers"] if one["name"] == TRAINER)
    trainer["securityContext"] = RESTRICTED
    experiment = begun(cluster, namespace, document)

    assert true_conditions(experiment.end()) >= {"Succeeded"}
    trials = [one["metadata"]["name"] for one in experiment.trials()]
    assert experiment.rows(trials) == dict.fromkeys(trials, counted(3))
