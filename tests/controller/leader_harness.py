"""A leadership term over a cluster in memory, in virtual time; store and search are in memory too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from api.installation.trial_kinds import TrialKinds
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.trials import parse_trial
from api.types import Experiment, JsonObject, Trial
from controller.driver.memory import Memory
from controller.driver.ports import TrialPoints
from controller.leader_term import LeaderTerm, TermDependencies
from controller.metrics import Metrics
from controller.on_kube.leftover_record import ClusterLeftoverRecord
from controller.reconcile.views import Key, Policy
from kube.cluster import Change, Kind, Listing, Propagation, Ref, Scope
from kube.errors import Forbidden, NotFound
from kube.testing.memory import MemoryCluster
from tests.controller.cluster_ports import JOB, PACE, complete
from tests.controller.experiment_harness import START, loss


def calendar() -> datetime:
    """Return the time by the loop's clock."""
    return START + timedelta(seconds=asyncio.get_running_loop().time() - 1000)


class RefusingCluster(MemoryCluster):
    """A cluster that refuses some verbs on some kinds and, if asked, lists across namespaces."""

    def __init__(self) -> None:
        super().__init__(namespaces=("ns", "other", "kubeflow"), now=calendar)
        self.refused: set[tuple[str, str]] = set()
        self.one_namespace = False

    def _check(self, verb: str, kind: Kind, namespace: str) -> None:
        if (verb, kind.kind) in self.refused:
            raise Forbidden(
                f"you may not {verb} {kind.kind}; give this program's account the right"
            )
        if self.one_namespace and not namespace:
            raise Forbidden(f"you may not {verb} {kind.kind} in all namespaces")

    async def get(self, ref: Ref) -> JsonObject:
        self._check("get", ref.of, ref.namespace)
        return await super().get(ref)

    async def list(self, scope: Scope) -> Listing:
        self._check("list", scope.kind, scope.namespace)
        return await super().list(scope)

    async def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        self._check("watch", scope.kind, scope.namespace)
        async for change in super().watch(scope, since=since):
            yield change

    async def create(self, document: JsonObject) -> JsonObject:
        self._check("create", Kind(api_version="", kind=str(document["kind"])), "ns")
        return await super().create(document)

    async def delete(
        self, ref: Ref, *, uid: str = "", propagation: Propagation = Propagation.BACKGROUND
    ) -> None:
        self._check("delete", ref.of, ref.namespace)
        await super().delete(ref, uid=uid, propagation=propagation)


@dataclass
class LeaderHarness:
    """A leader, and everything it works on."""

    cluster: RefusingCluster
    memory: Memory = field(default_factory=lambda: Memory(calendar))
    metrics: Metrics = field(default_factory=Metrics)
    policy: Policy = field(default_factory=Policy)
    namespace: str = ""
    trial_kinds: TrialKinds = field(default_factory=TrialKinds)
    points: TrialPoints | None = None
    judges: bool = True

    @asynccontextmanager
    async def leading(self, cluster: Any = None) -> AsyncIterator[LeaderTerm]:  # noqa: ANN401 - any cluster
        """Lead until the block ends."""
        outside = TermDependencies(
            cluster=cluster or self.cluster,
            observations=self.memory.observations,
            suggestions=self.memory.suggestions,
            services=self.memory.services,
            events=self.memory.events,
            metrics=self.metrics,
            policy=self.policy,
            namespace=self.namespace,
            kinds=(JOB,),
            trial_kinds=lambda: self.trial_kinds,
            pace=replace(PACE, clock=asyncio.get_running_loop().time),
            points=self.points,
            judges=lambda _: self.judges,
            leftovers=ClusterLeftoverRecord(self.cluster, "kubeflow"),
            now=calendar,
        )
        tasks: list[asyncio.Task[Any]] = []

        def start(work: Any) -> None:  # noqa: ANN401 - any coroutine
            tasks.append(asyncio.create_task(work))

        term = LeaderTerm(outside, start)
        start(term.run())
        start(self._end_watches())
        try:
            yield term
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            assert [end for end in ends if not isinstance(end, asyncio.CancelledError)] == []

    async def _end_watches(self) -> None:
        """End all watches from time to time, as the API server does."""
        while True:
            await asyncio.sleep(300)
            self.cluster.end_watches()

    async def apply(self, item: Experiment) -> None:
        await self.cluster.create(render_experiment(item))

    async def delete(self, name: str = "exp") -> None:
        """Delete an experiment as `kubectl delete` does."""
        await self.cluster.delete(_ref("Experiment", name))

    async def delete_trial(self, name: str) -> None:
        await self.cluster.delete(_ref("Trial", name))

    async def experiment(self, name: str = "exp") -> Experiment | None:
        try:
            document = await self.cluster.get(_ref("Experiment", name))
        except NotFound:
            return None
        return parse_experiment(document, unknown_fields=False)

    async def trials(self, namespace: str = "ns") -> list[Trial]:
        kind = _ref("Trial", "").of
        # The cluster may refuse the test, too.
        found = await MemoryCluster.list(self.cluster, Scope(kind, namespace))
        return [parse_trial(document, unknown_fields=False) for document in found.items]

    async def jobs(self) -> list[str]:
        """Return the names of the jobs that exist and have not ended."""
        found: Iterable[Any] = (await MemoryCluster.list(self.cluster, Scope(JOB, "ns"))).items
        return sorted(job["metadata"]["name"] for job in found if not job.get("status"))

    async def train(self, name: str, text: str = "0.5") -> None:
        """Let a training report this loss, and its job succeed."""
        self.memory.observations.metrics[Key(namespace="ns", name=name)] = loss(text)
        await complete(self.cluster, name)

    def event_messages(self, reason: str) -> list[str]:
        """Return the messages of all events with this reason."""
        return [event.message for event in self.memory.events.all if event.reason == reason]


def _ref(kind: str, name: str) -> Ref:
    return Ref(api_version="kubeflow.org/v1beta1", kind=kind, namespace="ns", name=name)
