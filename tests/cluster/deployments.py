"""Sets the number of replicas of trialwatch's own Deployments."""

from __future__ import annotations

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
