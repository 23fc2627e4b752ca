"""Our manifests on the cluster, as a user installs them."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster

NAMESPACE = "kubeflow"
_OVERLAY = ROOT / "manifests" / "overlays" / "standalone"
_DEPLOYMENTS = ("katib-db-manager", "trialwatch-suggestion", "trialwatch-webhook")


def install(cluster: Cluster, overlay: Path = _OVERLAY) -> None:
    """Apply an overlay; return when all that it deploys is ready."""
    # A test that was cut short may have left its own number of replicas.
    cluster.kubectl("apply", "--server-side", "--force-conflicts", f"--kustomize={overlay}")
    crds = ("experiments", "suggestions", "trials")
    for crd in crds:
        name = f"customresourcedefinition/{crd}.kubeflow.org"
        cluster.kubectl("wait", "--for=condition=Established", name, "--timeout=60s")
    for deployment in _DEPLOYMENTS:
        where = (f"deployment/{deployment}", f"--namespace={NAMESPACE}")
        cluster.kubectl("rollout", "status", *where, "--timeout=180s")
