"""Sets the number of replicas of trialwatch's own Deployments, and how the DB manager checks callers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.client import Cluster, until
from tests.cluster.installation import NAMESPACE

DB_MANAGER = "katib-db-manager"
WEBHOOK = "trialwatch-webhook"
SUGGESTION = "trialwatch-suggestion"
CONTROLLER = "trialwatch-controller"


def scale(cluster: Cluster, deployment: str, replicas: int) -> None:
    """Set the number of replicas; return when all are ready."""
    cluster.patch("deployments", NAMESPACE, deployment, {"spec": {"replicas": replicas}})

    def done() -> bool:
        status = (cluster.get("deployments", NAMESPACE, deployment) or {})["status"]
        selector = f"app.kubernetes.io/name={deployment}"
        there = len(cluster.listed("pods", NAMESPACE, selector))
        return bool(there == replicas == status.get("readyReplicas", 0))

    until(f"{replicas} of {deployment}", done)


@contextmanager
def auth(cluster: Cluster, mode: str) -> Iterator[None]:
    """Let the DB manager check its callers in this way (`--auth`) during a block."""
    _set_auth(cluster, mode)
    try:
        yield
    finally:
        _set_auth(cluster, "required")


def _set_auth(cluster: Cluster, mode: str) -> None:
    where = (f"deployment/{DB_MANAGER}", f"--namespace={NAMESPACE}")
    cluster.kubectl("set", "env", *where, f"AUTH={mode}")
    cluster.kubectl("rollout", "status", *where, "--timeout=180s")
