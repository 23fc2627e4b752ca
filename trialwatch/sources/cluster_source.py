"""The experiments of a cluster, as a source: each command reads the API server once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from api.documents import text_at
from api.errors import SetupError, UserError
from api.names import EXPERIMENT_LABEL, TRIAL_LABEL
from api.types import JsonObject
from kube.client import KubernetesCluster
from kube.cluster import Kind, Ref, Scope, ref_of
from kube.connect import connected, context_of, own_namespace
from kube.errors import NotFound, UnknownKind
from trialwatch.sources.cluster_watch import follow
from trialwatch.sources.documents import name_of, namespace_of, oldest_first
from trialwatch.sources.source import nothing_called
from trialwatch.sources.trial_pods import (
    container_of,
    has_ended,
    newest_pod,
    why_not_begun,
    without_pod,
)

if TYPE_CHECKING:
    from trialwatch.sources.source import LogWanted

_KINDS = {"experiments": "Experiment", "trials": "Trial", "suggestions": "Suggestion"}
_POD = Kind(api_version="v1", kind="Pod")
_POD_LABELS = (TRIAL_LABEL, "batch.kubernetes.io/job-name", "training.kubeflow.org/job-name")
"""Labels of a trial's pod: the trial's label, or a label of its job, which has the same name."""
_LOOK = 1.0
"""Seconds between two requests while waiting for a pod."""
T = TypeVar("T")


def source(
    kubeconfig: Path | None, context: str, namespace: str, *, everywhere: bool
) -> ClusterSource:
    """Return the source for the cluster that kubectl would use with these flags.

    Raises:
        UserError: the context does not exist.
        SetupError: the kubeconfig cannot be read.
    """
    if kubeconfig is None:
        place, usual = "this pod's cluster", own_namespace()
    else:
        chosen = context_of(kubeconfig, context)
        place, usual = f"the context {chosen.name}", chosen.namespace
    return ClusterSource(kubeconfig, context, "" if everywhere else namespace or usual, place)


class ClusterSource:
    """`trialwatch.sources.source.Source`: reads the API server."""

    makes = "create one with `kubectl apply -f EXPERIMENT.yaml`, or use -A to search all namespaces"

    def __init__(self, kubeconfig: Path | None, context: str, namespace: str, place: str) -> None:
        """`namespace` "" means all namespaces; `place` describes the cluster in messages."""
        self._kubeconfig, self._context, self._namespace = kubeconfig, context, namespace
        self._place = place
        spaces = f"the namespace {namespace}" if namespace else "any namespace"
        self.where = f"in {spaces} of {place}"

    def objects(self, kind: str, name: str = "") -> list[JsonObject]:
        """Read the objects of a kind."""
        return self._asked(lambda cluster: self._objects(cluster, kind, name))

    def omitted(self, kind: str) -> list[str]:  # noqa: ARG002 - of the port
        """Return nothing: a cluster moves no objects aside."""
        return []

    def watch(self, kind: str, name: str, show: Callable[[Sequence[JsonObject]], None]) -> None:
        """Follow the objects of a kind until the user interrupts."""
        self._asked(lambda cluster: self._watch(cluster, kind, name, show))

    def trial(self, name: str) -> JsonObject:
        """Read a trial."""
        found = self._asked(lambda cluster: self._named(cluster, "trials", name))
        if not found:
            raise nothing_called(self, "trials", name)
        if len(found) > 1:
            spaces = ", ".join(f"-n {namespace_of(one)}" for one in found)
            raise UserError(f"there are several trials {name}; choose one: {spaces}")
        return found[0]

    def trials_of(self, experiment: JsonObject) -> list[JsonObject]:
        """Read an experiment's trials."""
        labels = {EXPERIMENT_LABEL: name_of(experiment)}
        space = namespace_of(experiment)
        return self._asked(lambda cluster: _listed(cluster, _kind("trials"), space, labels))

    def delete(self, experiment: JsonObject) -> None:
        """Delete an experiment; the controller deletes its trials, their jobs and metrics."""
        uid = text_at(experiment, "metadata", "uid")
        self._asked(lambda cluster: cluster.delete(ref_of(experiment), uid=uid))

    def report_of(self, experiment: JsonObject) -> Path:
        """Return a path in the current directory."""
        return Path(f"{name_of(experiment)}.html")

    def print_log(
        self, trial: JsonObject, wanted: LogWanted, write: Callable[[bytes], None]
    ) -> None:
        """Write the log of a container of the trial's newest pod."""
        self._asked(lambda cluster: _print_log(cluster, trial, wanted, write))

    def _asked(self, ask: Callable[[KubernetesCluster], Awaitable[T]]) -> T:
        async def connect_and_ask() -> T:
            async with connected(self._kubeconfig, self._context) as cluster:
                return await ask(cluster)

        try:
            return asyncio.run(connect_and_ask())
        except UnknownKind:
            raise SetupError(
                f"{self._place} does not have Katib's kinds: install trialwatch (docs/install.md)"
                " or Katib there, or use another context with --context"
            ) from None

    async def _objects(self, cluster: KubernetesCluster, kind: str, name: str) -> list[JsonObject]:
        if not name:
            return await _listed(cluster, _kind(kind), self._namespace)
        if kind == "trials":
            labels = {EXPERIMENT_LABEL: name}
            if found := await _listed(cluster, _kind(kind), self._namespace, labels):
                return found
        return await self._named(cluster, kind, name)

    async def _watch(
        self,
        cluster: KubernetesCluster,
        kind: str,
        name: str,
        show: Callable[[Sequence[JsonObject]], None],
    ) -> None:
        scope = Scope(_kind(kind), self._namespace, name=name)
        if name and kind == "trials":
            labels = {EXPERIMENT_LABEL: name}
            if await _listed(cluster, _kind(kind), self._namespace, labels):
                scope = Scope(_kind(kind), self._namespace, labels=labels)
        await follow(cluster, scope, show)

    async def _named(self, cluster: KubernetesCluster, kind: str, name: str) -> list[JsonObject]:
        if not self._namespace:
            return list((await cluster.list(Scope(_kind(kind), name=name))).items)
        of = _kind(kind)
        wanted = Ref(api_version=of.api_version, kind=of.kind, namespace=self._namespace, name=name)
        try:
            return [await cluster.get(wanted)]
        except UnknownKind:
            raise
        except NotFound:
            return []


def _kind(plural: str) -> Kind:
    return Kind(api_version="kubeflow.org/v1beta1", kind=_KINDS[plural])


async def _listed(
    cluster: KubernetesCluster, kind: Kind, namespace: str, labels: Mapping[str, str] | None = None
) -> list[JsonObject]:
    return oldest_first((await cluster.list(Scope(kind, namespace, labels=labels or {}))).items)


# -- logs -----------------------------------------------------------------------------------


async def _print_log(
    cluster: KubernetesCluster,
    trial: JsonObject,
    wanted: LogWanted,
    write: Callable[[bytes], None],
) -> None:
    pod, container = await _started(cluster, trial, wanted)
    pieces = cluster.pod_log(ref_of(pod), container, follow=wanted.follow, previous=wanted.previous)
    async with aclosing(pieces):
        async for piece in pieces:
            write(piece)


async def _started(
    cluster: KubernetesCluster, trial: JsonObject, wanted: LogWanted
) -> tuple[JsonObject, str]:
    """Return the pod and the container; if the log is followed, wait until the container runs."""
    while True:
        pod = newest_pod(trial, await _pods(cluster, trial))
        if pod is not None:
            container = container_of(trial, pod, wanted.container)
            waits = why_not_begun(pod, container)
            if not waits:
                return pod, container
            if not wanted.follow:
                raise UserError(
                    f"container {container} of pod {name_of(pod)} has printed nothing yet:"
                    f" {waits}; use -f to wait for it"
                )
        elif has_ended(trial) or not wanted.follow:
            raise without_pod(trial)
        await asyncio.sleep(_LOOK)
        trial = await cluster.get(ref_of(trial))


async def _pods(cluster: KubernetesCluster, trial: JsonObject) -> list[JsonObject]:
    space, name = namespace_of(trial), name_of(trial)
    for label in _POD_LABELS:
        if found := await _listed(cluster, _POD, space, {label: name}):
            return found
    return []
