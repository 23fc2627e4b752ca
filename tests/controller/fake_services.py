"""A cluster on this machine: an API server over HTTP, our DB manager and our search by gRPC."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc.aio

from api.installation.service_addresses import OwnServices
from api.installation.services import parse_services
from api.objects.experiments import parse_experiment
from api.objects.trials import parse_trial
from api.types import Experiment, Trial
from controller.driver.driver import Driver
from controller.driver.memory import MemoryEvents
from controller.driver.ports import Ports as DriverPorts
from controller.on_kube.search_services import ClusterSearchServices
from controller.over_grpc.channels import Channels, dial
from controller.over_grpc.observations import RemoteObservations
from controller.reconcile.views import Key, Policy
from controller.search_router import SearchRouter, ServiceDirectory
from dbmanager.store.memory import MemoryStore
from kube.cluster import Cluster, Scope
from kube.testing.apiserver import served as api_served
from kube.testing.memory import MemoryCluster
from tests.controller.cluster_ports import JOB, ClusterPorts, complete, ports_of
from tests.dbmanager.dbmanager_server import Client, served
from tests.kube.test_client import plain
from tests.suggestion.suggestion_server import SearchesHere, serving

T = "2026-01-02T03:04:05Z"
POLICY = Policy(
    metrics_grace=timedelta(seconds=1),
    stop_grace=timedelta(seconds=1),
    metrics_poll=timedelta(milliseconds=50),
)


@dataclass
class FakeServices:
    """All servers, and methods that play the job controller and the training."""

    memory: MemoryCluster
    cluster: Cluster
    store: Client
    search: Any
    policy: Policy = POLICY
    observations: grpc.aio.Channel | None = None
    """The controller's channel to the metrics store; None: the real one."""
    katib_config: str = ""
    addresses: dict[str, str] = field(default_factory=dict)
    """Addresses behind the names of Services, as the DNS of a cluster has them."""
    events: MemoryEvents = field(default_factory=MemoryEvents)
    restarts: int = 0

    @asynccontextmanager
    async def controller(self) -> AsyncIterator[ClusterPorts]:
        """Run a controller without any state, until the block ends."""
        async with ports_of(self.cluster) as ports, self._asking() as search:
            driver = Driver(
                DriverPorts(
                    objects=ports.objects,
                    jobs=ports.jobs,
                    observations=RemoteObservations(self.observations or self.store.channel),
                    suggestions=search,
                    services=search,
                    events=self.events,
                ),
                random.Random(self.restarts),
                self.policy,
            )
            self.restarts += 1
            reconciling = asyncio.create_task(_reconcile_all(ports, driver))
            try:
                yield ports
            finally:
                reconciling.cancel()
                await asyncio.gather(reconciling, return_exceptions=True)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[SearchRouter]:
        """Give the search as katib-config says; by default our service has all algorithms."""
        channels = Channels(
            time.monotonic, lambda address: dial(self.addresses.get(address, address))
        )
        ours = self.search.address
        directory = ServiceDirectory(
            config=lambda: parse_services(self.katib_config),
            ours=OwnServices(suggestion=ours, early_stopping=ours),
            db_manager=self.store.address,
        )
        try:
            yield SearchRouter(directory, ClusterSearchServices(self.cluster), channels)
        finally:
            await channels.close()

    async def experiment(self) -> Experiment:
        listing = await self.memory.list(Scope(_kind("Experiment"), "ns", name="exp"))
        return parse_experiment(listing.items[0], unknown_fields=False)

    async def trials(self) -> list[Trial]:
        listing = await self.memory.list(Scope(_kind("Trial"), "ns"))
        return [parse_trial(document, unknown_fields=False) for document in listing.items]

    async def jobs(self) -> list[str]:
        """Return the names of the jobs that exist and have not ended."""
        listing = await self.memory.list(Scope(JOB, "ns"))
        found: list[Any] = list(listing.items)
        return sorted(job["metadata"]["name"] for job in found if not job.get("status"))

    async def created(self) -> str:
        """Wait for the only job, and return its name."""
        await self.until(self.jobs)
        (name,) = await self.jobs()
        return name

    async def trial(self) -> Trial:
        """Return the only trial."""
        (trial,) = await self.trials()
        return trial

    async def report(self, name: str, *texts: str) -> None:
        """Report these losses to the store, as a training's collector does."""
        metadata = (("trialwatch-namespace", "ns"),)
        await self.store.report(name, *((T, "loss", text) for text in texts), metadata=metadata)

    async def train(self, name: str, *texts: str) -> None:
        """Report these losses, and let the job succeed."""
        await self.report(name, *texts)
        await complete(self.memory, name)

    async def until(self, holds: Any) -> None:  # noqa: ANN401 - an asynchronous predicate
        async with asyncio.timeout(60):
            while not await holds():  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.01)


def _kind(kind: str) -> Any:  # noqa: ANN401 - kube.cluster.Kind
    return type(JOB)(api_version="kubeflow.org/v1beta1", kind=kind)


async def _reconcile_all(ports: ClusterPorts, driver: Driver) -> None:
    """Reconcile what has changed and what is due: a small version of the controller's loop."""
    due: dict[tuple[str, Key], datetime] = {}
    while True:
        now = datetime.now(UTC)
        work = {("e", key) for key in ports.experiments} | {("t", key) for key in ports.trials}
        work |= {what for what, moment in due.items() if moment <= now}
        ports.experiments.clear()
        ports.trials.clear()
        ports.changed.clear()
        for kind, key in sorted(work, key=str):
            due.pop((kind, key), None)
            reconcile = driver.experiment if kind == "e" else driver.trial
            wake = await reconcile(key, datetime.now(UTC))
            if wake is not None:
                due[kind, key] = wake
        soonest = min(due.values(), default=datetime.now(UTC) + timedelta(seconds=5))
        wait = max(0.0, (soonest - datetime.now(UTC)).total_seconds())
        with suppress(TimeoutError):
            # Not wait_for, which (before Python 3.12) can lose a cancellation.
            async with asyncio.timeout(wait):
                await ports.changed.wait()


@asynccontextmanager
async def fake_services() -> AsyncIterator[FakeServices]:
    """Start all servers, each on a free port of this machine."""
    memory = MemoryCluster(namespaces=("ns",))
    async with (
        api_served(memory) as server,
        plain(server.url) as cluster,
        served(MemoryStore()) as store,
        serving(searches=SearchesHere()) as search,
    ):
        yield FakeServices(memory=memory, cluster=cluster, store=store, search=search)
