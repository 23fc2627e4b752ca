"""The operators' own manifests, read where Go unpacked their modules, fitted to a small node."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.binaries import run
from tests.cluster.client import Object

NAMESPACE_OF_OURS = "kubeflow"
EXECUTOR = "trialwatch.test/argoexec:1"
"""The image of what Argo runs in each pod of a workflow."""
_NOT_APPLIED = {"APIService", "Namespace"}
"""An APIService needs an aggregating API server; the namespaces are made before."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Where an operator's kustomization is in its module, and what is changed in it."""

    name: str
    folder: str
    overlay: str
    namespace: str
    without: tuple[str, ...] = ()
    """A kustomization, and its resources that are left out."""
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    runtime: str = ""
    """A file of its folder with a training runtime, which is applied when the operator serves."""
    program: str = "/manager"
    """The path of its program in its image."""

    @property
    def image(self) -> str:
        """Its image, which holds the program and nothing else."""
        return f"trialwatch.test/operator-{self.name}:1"


OPERATORS = (
    Operator(
        "training-operator",
        "manifests",
        "overlays/standalone",
        NAMESPACE_OF_OURS,
        # Pods of workers and of launchers run these before their own containers.
        arguments=(
            "--pytorch-init-container-image=trialwatch.test/own-shell:1",
            "--mpi-kubectl-delivery-image=trialwatch.test/entrypoint:1",
        ),
    ),
    Operator("jobset", "config", "default", "jobset-system"),
    Operator(
        "trainer",
        "manifests",
        "overlays/manager",
        "kubeflow-system",
        without=("overlays/manager", "../../third-party/jobset"),
        runtime="base/runtimes/torch_distributed.yaml",
    ),
    Operator(
        "kuberay",
        "config",
        "default",
        "default",
        # Ray's own checks and its wait for the head, which need an image of Ray.
        environment=(
            ("ENABLE_PROBES_INJECTION", "false"),
            ("ENABLE_INIT_CONTAINER_INJECTION", "false"),
        ),
    ),
    Operator(
        "workflow-controller",
        "manifests",
        "cluster-install",
        "argo",
        without=("cluster-install-no-crds", "../base/argo-server", "./argo-server-rbac"),
        arguments=(f"--executor-image={EXECUTOR}", "--executor-image-pull-policy=IfNotPresent"),
    ),
    # The last one: its webhook is asked about each Deployment, and does not serve yet.
    Operator("kueue", "config", "default", "kueue-system"),
)


def rendered(operator: Operator, source: Path, kubectl: str) -> list[Object]:
    """Return the objects of an operator's own kustomization, fitted to the node."""
    # In a folder of another name: kustomize takes `github.com` in a path for an address.
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(shutil.copytree(source / operator.folder, Path(folder, "manifests")))
        if operator.without:
            where, *resources = operator.without
            _leave_out(copied / where / "kustomization.yaml", resources)
        text = run([kubectl, "kustomize", str(copied / operator.overlay)])
    objects = [one for one in yaml.safe_load_all(text) if one["kind"] not in _NOT_APPLIED]
    return [_fitted(one, operator) for one in objects]


def runtime_of(operator: Operator, source: Path) -> list[Object]:
    """Return an operator's training runtime, in which a training that fails is not repeated."""
    if not operator.runtime:
        return []
    runtime = yaml.safe_load((source / operator.folder / operator.runtime).read_text())
    for job in runtime["spec"]["template"]["spec"]["replicatedJobs"]:
        job["template"]["spec"]["backoffLimit"] = 0
        job["template"]["spec"]["template"]["spec"]["restartPolicy"] = "Never"
    return [runtime]


def _leave_out(kustomization: Path, resources: list[str]) -> None:
    settings = yaml.safe_load(kustomization.read_text())
    for resource in resources:
        settings["resources"].remove(resource)
    kustomization.chmod(0o644)
    kustomization.write_text(yaml.safe_dump(settings))


def _fitted(document: Object, operator: Operator) -> Object:
    if document["kind"] == "Deployment":
        document["spec"]["replicas"] = 1
        for container in document["spec"]["template"]["spec"]["containers"]:
            _fit_container(container, operator)
    return document


def _fit_container(container: Any, operator: Operator) -> None:  # noqa: ANN401 - YAML
    """Let it run from our image, ask for nothing, and be ready as soon as it is."""
    container |= {"image": operator.image, "imagePullPolicy": "Never"}
    container.pop("resources", None)
    container["command"] = [operator.program]
    container["args"] = [*container.get("args", ()), *operator.arguments]
    added = [{"name": name, "value": value} for name, value in operator.environment]
    container["env"] = [*container.get("env", ()), *added]
    for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
        if probe in container:
            container[probe] |= {"initialDelaySeconds": 1, "periodSeconds": 2, "timeoutSeconds": 5}
            container[probe]["failureThreshold"] = 60


def deployments(objects: list[Object]) -> Iterator[tuple[str, str]]:
    """Yield namespace and name of each Deployment."""
    for one in objects:
        if one["kind"] == "Deployment":
            yield one["metadata"]["namespace"], one["metadata"]["name"]
