"""A cluster in memory with Katib as its manifests install it, and a kubectl that knows our folders.

Its Deployments are ready as soon as they are written, and its Service leads to the pods that its
selector selects.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from api.names import COLLECTOR_CONTAINER, CONFIG_MAP, CONFIG_MAP_KEY
from api.types import JsonObject
from kube.cluster import Listing, Ref, Resource, Scope, ref_of
from kube.errors import AlreadyExists, NotFound
from kube.resources import KNOWN
from kube.testing.memory import MemoryCluster
from trialwatch.migration import installed_names as names
from trialwatch.migration.katib_config import Images
from trialwatch.migration.katib_webhooks import POD_ENTRIES, are_aside
from trialwatch.migration.survey import OWN_SELECTOR, replicas_of

NAMESPACE = "kubeflow"
IMAGES = Images(prefix="registry.example/trialwatch", tag="0.1.0")
KATIBS_SELECTOR = {"katib.kubeflow.org/component": "db-manager"}
CONFIG = """\
# Katib's own text, with a comment.
apiVersion: config.kubeflow.org/v1beta1
kind: KatibConfig
init: {controller: {webhookPort: 8443}}
runtime:
  metricsCollectors:
    - {kind: StdOut, image: ghcr.io/kubeflow/katib/file-metrics-collector:v0.19.0}
    - {kind: File, image: ghcr.io/kubeflow/katib/file-metrics-collector:v0.19.0}
    - {kind: TensorFlowEvent, image: ghcr.io/kubeflow/katib/tfevent-metrics-collector:v0.19.0}
  suggestions:
    - {algorithmName: random, image: ghcr.io/kubeflow/katib/suggestion-hyperopt:v0.19.0}
    - {algorithmName: evolution, image: ghcr.io/kubeflow/katib/suggestion-evolution:v0.19.0}
  earlyStoppings:
    - {algorithmName: medianstop, image: ghcr.io/kubeflow/katib/earlystopping-medianstop:v0.19.0}
"""
_SLICE = Resource(
    api_version="discovery.k8s.io/v1",
    kind="EndpointSlice",
    plural="endpointslices",
    namespaced=True,
)
_DEPLOYED = {
    "store": names.DB_MANAGER,
    "webhook-beside": names.WEBHOOK,
    "webhook": names.WEBHOOK,
    "search": names.SUGGESTION,
    "controller": names.CONTROLLER,
}


class KatibCluster(MemoryCluster):
    """The port over a dict, with Deployments and a Service that work."""

    def __init__(self) -> None:
        """Begin without any object but the namespaces."""
        super().__init__([*KNOWN, _SLICE], namespaces=("default", NAMESPACE, "team"))
        self.starting = ""
        """The name of the Deployment whose pods only start."""

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object; a Deployment is ready unless it is the one that starts."""
        document = await super().get(ref)
        if ref.kind != "Deployment":
            return document
        count = 0 if ref.name == self.starting else replicas_of(document)
        keys = ("replicas", "updatedReplicas", "availableReplicas")
        return {**document, "status": dict.fromkeys(keys, count)}

    async def list(self, scope: Scope) -> Listing:
        """Read a scope; the slices of the Service are those of its selector."""
        if scope.kind != _SLICE.of:
            return await super().list(scope)
        service: Any = await self.get(names.service(NAMESPACE))
        ours = service["spec"]["selector"] == OWN_SELECTOR
        name = names.DB_MANAGER if ours else names.KATIB_DB_MANAGER
        running = replicas_of(await self.get(names.deployment(NAMESPACE, name)))
        ends = [{"targetRef": {"name": f"{name}-x-{i}"}} for i in range(running)]
        return Listing(items=({"endpoints": ends},), version="1")


class FolderKubectl:
    """A kubectl that makes of each folder what matters to a migration."""

    def __init__(self, cluster: KatibCluster) -> None:
        """Act on `cluster`."""
        self._cluster = cluster

    async def apply(self, folder: Path) -> None:
        """Create what the folder deploys, unless it exists."""
        if folder.name == "definitions":
            for name in names.CRDS:
                await self._cluster.patch(names.crd(name), {"spec": {"of": "trialwatch"}})
            return
        await self._create(deployment(_DEPLOYED[folder.name]))
        if folder.name.startswith("webhook"):
            await self._create(webhooks(names.OWN_MUTATING, ()))

    async def delete(self, folder: Path) -> None:
        """Delete what the folder deploys."""
        for ref in (names.deployment(NAMESPACE, _DEPLOYED[folder.name]),):
            try:
                await self._cluster.delete(ref)
            except NotFound:
                continue

    async def tried(self, document: JsonObject) -> JsonObject:
        """Return the pod with the collectors of the webhooks that see it."""
        image = IMAGES.of("collector")
        collectors = [{"name": COLLECTOR_CONTAINER, "image": image}]
        if not are_aside(await self._cluster.get(names.MUTATING), POD_ENTRIES):
            collectors.append({"name": COLLECTOR_CONTAINER, "image": "katib"})
        return {**document, "spec": {"initContainers": collectors, "containers": []}}

    async def _create(self, document: JsonObject) -> None:
        try:
            await self._cluster.create(document)
        except AlreadyExists:
            return


def deployment(name: str, image: str = "", **container: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a Deployment of one replica."""
    pod = {"containers": [{"name": name, "image": image or name, **container}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"of": name}},
            "template": {"spec": pod},
        },
    }


def webhooks(ref: Ref, entries: tuple[str, ...]) -> dict[str, Any]:
    """Return a webhook configuration."""
    selector = {"matchLabels": {"katib.kubeflow.org/metrics-collector-injection": "enabled"}}
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name},
        "webhooks": [{"name": entry, "namespaceSelector": selector} for entry in entries],
    }


def installation(database: str = "mysql") -> list[dict[str, Any]]:
    """Return the objects of Katib's installation that a migration reads."""
    manager = deployment(
        names.KATIB_DB_MANAGER,
        "ghcr.io/kubeflow/katib/katib-db-manager:v0.19.0",
        env=[{"name": "DB_NAME", "value": database}, {"name": "DB_PASSWORD", "value": "secret"}],
    )
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": names.KATIB_DB_MANAGER, "namespace": NAMESPACE},
        "spec": {"selector": KATIBS_SELECTOR, "ports": [{"port": 6789}]},
    }
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": CONFIG_MAP, "namespace": NAMESPACE},
        "data": {CONFIG_MAP_KEY: CONFIG},
    }
    mutating = ("defaulter.experiment.katib.kubeflow.org", *POD_ENTRIES)
    return [
        deployment(names.KATIB_CONTROLLER, "ghcr.io/kubeflow/katib/katib-controller:v0.19.0"),
        manager,
        deployment(names.KATIB_UI),
        service,
        config,
        webhooks(names.MUTATING, mutating),
        webhooks(names.VALIDATING, ("validator.experiment.katib.kubeflow.org",)),
        *(
            {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": name},
                "spec": {"of": "Katib", "group": "kubeflow.org"},
            }
            for name in names.CRDS
        ),
    ]


def experiment(name: str, *conditions: str, collector: str = "StdOut") -> dict[str, Any]:
    """Return an experiment in the namespace `team`, with these conditions."""
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name, "namespace": "team"},
        "spec": {"metricsCollectorSpec": {"collector": {"kind": collector}}},
        "status": {"conditions": [{"type": one, "status": "True"} for one in conditions]},
    }


@asynccontextmanager
async def katib_installed(*more: JsonObject) -> AsyncIterator[KatibCluster]:
    """Give a cluster with Katib's installation."""
    cluster = KatibCluster()
    for document in (*installation(), *more):
        made = await cluster.create(document)
        if document["kind"] == "Experiment":
            await cluster.patch(ref_of(made), {"status": document["status"]}, status=True)
    yield cluster
    await cluster.close()


async def snapshot(cluster: KatibCluster) -> str:
    """Return all that a migration may change, as text to compare."""
    kinds = (
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
        ("v1", "ConfigMap"),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("kubeflow.org/v1beta1", "Suggestion"),
    )
    resources = {(one.api_version, one.kind): one for one in KNOWN}
    found: list[Any] = []
    for key in kinds:
        listing = await cluster.list(Scope(resources[key].of))
        for document in listing.items:
            metadata: Any = document["metadata"]
            kept = {k: v for k, v in document.items() if k != "metadata"}
            found.append([metadata["name"], kept])
    return yaml.safe_dump(sorted(found, key=str))
