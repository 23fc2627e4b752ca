"""Katib itself on a node of its own, from its own programs and its own manifests.

Neither is a part of this repository. `TRIALWATCH_KATIB_PROGRAMS` names the folder of its programs,
`katib-controller`, `katib-db-manager`, `file-metricscollector` and `goptuna-suggestion`, which are
static; `TRIALWATCH_KATIB_MANIFESTS` names the folder `manifests/v1beta1` of its repository.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.names import INJECTION_ENABLED, INJECTION_LABEL
from tests.cluster.client import Cluster, cluster_of
from tests.cluster.dockerfiles import VERSION, build, build_bash, build_mysql, build_trainer
from tests.cluster.images import scratch
from tests.cluster.katib_config import edit_katib_config
from tests.cluster.node import Node

PROGRAMS = "TRIALWATCH_KATIB_PROGRAMS"
MANIFESTS = "TRIALWATCH_KATIB_MANIFESTS"
NAMESPACE = "kubeflow"
TEAM = "team"
"""The namespace of experiments."""
TRAINERS_IMAGE = f"docker.io/trialwatch/bash:{VERSION}"
_REGISTRY = "ghcr.io/kubeflow/katib"
# The image of each program, as Katib's manifests name it.
_IMAGES = {
    "katib-controller": "katib-controller",
    "katib-db-manager": "katib-db-manager",
    "file-metricscollector": "file-metrics-collector",
    "goptuna-suggestion": "suggestion-goptuna",
}
_DEPLOYMENTS = ("katib-mysql", "katib-db-manager", "katib-controller")
_OURS = ("collector", "controller", "dbmanager", "suggestion", "webhook")
_INJECTED = {INJECTION_LABEL: INJECTION_ENABLED}
_KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{katib}]
images: [{{name: mysql, newName: docker.io/trialwatch/mysql, newTag: {version}}}]
patches:
  - target: {{kind: Deployment, name: katib-mysql}}
    patch: |-
      - {{op: remove, path: /spec/template/spec/containers/0/args}}
  # Until Katib's webhook serves, it would refuse the pods of Katib itself.
  - target: {{kind: Namespace, name: kubeflow}}
    patch: |-
      - {{op: remove, path: /metadata/labels}}
  - target: {{kind: Deployment, name: katib-ui}} # its program is not a part of the test
    patch: |-
      - {{op: replace, path: /spec/replicas, value: 0}}
"""


@dataclass(frozen=True, slots=True)
class Katib:
    """What the environment names."""

    programs: Path
    manifests: Path

    @property
    def version(self) -> str:
        """The tag of Katib's images in its manifests."""
        text = (self.manifests / "installs/katib-standalone/kustomization.yaml").read_text()
        found = re.search(r"newTag: (\S+)", text)
        assert found, "Katib's standalone installation names no tag"
        return found[1]

    def archives(self, folder: Path) -> list[Path]:
        """Write an image of each program, by the name that Katib's manifests have."""
        return [
            scratch(
                folder / f"{program}.tar",
                f"{_REGISTRY}/{image}:{self.version}",
                {program: (self.programs / program).read_bytes()},
                {"Entrypoint": [f"/{program}"], "WorkingDir": "/"},
            )
            for program, image in _IMAGES.items()
        ]


def given() -> Katib:
    """Return what the environment names; skip the test if it names nothing."""
    named = {name: os.environ.get(name, "") for name in (PROGRAMS, MANIFESTS)}
    missing = [name for name, folder in named.items() if not folder]
    if missing:
        pytest.skip(f"Katib's own programs are not here: {' and '.join(missing)} must name them")
    return Katib(Path(named[PROGRAMS]).absolute(), Path(named[MANIFESTS]).absolute())


@contextmanager
def node_with_katib(katib: Katib, folder: Path) -> Iterator[Cluster]:
    """Bring up a node with Katib and with the images of trialwatch; take it down afterwards."""
    built = [*(build(program) for program in _OURS), build_bash(), build_mysql(), build_trainer()]
    node = Node(folder / "node")
    try:
        cluster = cluster_of(node.up())
        for archive in (*(one.archive for one in built), *katib.archives(folder)):
            node.load(archive)
        install(cluster, katib, folder)
        cluster.create("namespaces", "", {"metadata": {"name": TEAM, "labels": _INJECTED}})
        yield cluster
        cluster.close()
    finally:
        node.down()


def install(cluster: Cluster, katib: Katib, folder: Path) -> None:
    """Apply Katib's standalone installation; return when all that it deploys is ready."""
    own = folder / "katib"
    own.mkdir()
    standalone = os.path.relpath(katib.manifests / "installs/katib-standalone", own)
    text = _KUSTOMIZATION.format(katib=standalone, version=VERSION)
    (own / "kustomization.yaml").write_text(text)
    cluster.kubectl("apply", "--server-side", f"--kustomize={own}")
    edit_katib_config(
        cluster, partial(_search_in_go, f"{_REGISTRY}/suggestion-goptuna:{katib.version}")
    )
    for deployment in _DEPLOYMENTS:
        where = (f"deployment/{deployment}", f"--namespace={NAMESPACE}")
        cluster.kubectl("rollout", "status", *where, "--timeout=300s")
    cluster.patch("namespaces", "", NAMESPACE, {"metadata": {"labels": _INJECTED}})


def _search_in_go(image: str, config: Any) -> None:  # noqa: ANN401 - YAML
    """Let Katib's search in Go also serve `random`: Katib's own for it is in Python."""
    for entry in config["runtime"]["suggestions"]:
        if entry["algorithmName"] == "random":
            entry["image"] = image
