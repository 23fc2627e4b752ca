"""Installs the images and manifests on a cluster, as a user does.

`python -m tests.cluster.installation` brings them to the node of `make cluster-up`, and brings that up
where it is not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.architecture.tree import ROOT
from tests.cluster.binaries import MissingProgramError, note
from tests.cluster.client import Cluster, cluster_of, until
from tests.cluster.dockerfiles import build, build_trainer
from tests.cluster.image_archive import Built
from tests.cluster.node import Node, default_folder
from tests.cluster.releases import ModuleDigestError

NAMESPACE = "kubeflow"
OVERLAYS = ROOT / "manifests" / "overlays"
_OVERLAY = OVERLAYS / "standalone"
_PROGRAMS = ("collector", "controller", "dbmanager", "suggestion", "webhook")
_ROLLOUT_SECONDS = 600
"""A busy node takes minutes: all programs start at once."""
DEPLOYMENTS = (
    "katib-db-manager",
    "trialwatch-controller",
    "trialwatch-suggestion",
    "trialwatch-webhook",
)


def images() -> list[Built]:
    """Return the images of all programs, and of the examples' training."""
    return [*(build(program) for program in _PROGRAMS), build_trainer()]


@contextmanager
def built_beside(build: Callable[[], list[Built]] = images) -> Iterator[Callable[[], list[Built]]]:
    """Build images beside the body, which may bring the cluster up; yield what waits for them.

    Kubernetes is built the first time, which keeps the processors busy. Most of what images take is
    waiting for packages and the disk.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(build).result


def load_images(built: Sequence[Built], load: Callable[[Path], None]) -> None:
    """Bring images to a cluster, and tell how large they are."""
    for image in built:
        note(f"{image.name}: {image.unpacked_bytes() / 1e6:.0f} MB unpacked")
        load(image.archive)


def install(cluster: Cluster, overlay: Path = _OVERLAY) -> None:
    """Apply an overlay; return when all that it deploys is ready, and what was there before is gone.

    A webhook that ends still answers the API server on their old connection.
    """
    # A test that was cut short may have left its own number of replicas.
    cluster.kubectl("apply", "--server-side", "--force-conflicts", f"--kustomize={overlay}")
    crds = ("experiments", "suggestions", "trials")
    for crd in crds:
        name = f"customresourcedefinition/{crd}.kubeflow.org"
        cluster.kubectl("wait", "--for=condition=Established", name, "--timeout=60s")
    for deployment in DEPLOYMENTS:
        where = (f"deployment/{deployment}", f"--namespace={NAMESPACE}")
        cluster.kubectl("rollout", "status", *where, f"--timeout={_ROLLOUT_SECONDS}s")
    until("the earlier pods to go", lambda: not any(_ending(cluster)))


def release_volumes(cluster: Cluster, namespace: str = NAMESPACE) -> None:
    """Let the volumes of deleted claims be claimed again; by default that of the DB manager."""
    text = cluster.kubectl("get", "persistentvolumes", "--output=yaml")
    for volume in yaml.safe_load(text)["items"]:
        claim = volume["spec"].get("claimRef", {})
        if claim.get("namespace") == namespace and volume["status"]["phase"] == "Released":
            name = f"persistentvolume/{volume['metadata']['name']}"
            cluster.kubectl("patch", name, "--patch", '{"spec": {"claimRef": null}}')


def _ending(cluster: Cluster) -> Iterator[str]:
    for pod in cluster.listed("pods", NAMESPACE):
        if "deletionTimestamp" in pod["metadata"]:
            yield str(pod["metadata"]["name"])


def main() -> None:
    """Install on this machine's node; print the path of its kubeconfig."""
    node = Node(default_folder().absolute())
    with built_beside() as built:
        cluster = cluster_of(node.up())
        load_images(built(), node.load)
    was_there = cluster.listed("deployments", NAMESPACE)
    install(cluster)
    if was_there:  # of older images by the same names
        cluster.kubectl("rollout", "restart", "deployment", f"--namespace={NAMESPACE}")
        install(cluster)
    cluster.close()
    sys.stdout.write(f"{node.kubeconfig}\n")


if __name__ == "__main__":
    try:
        main()
    except (MissingProgramError, ModuleDigestError, PermissionError) as error:
        sys.exit(f"cluster: {error}")
