"""Whole experiments: the core over the API server's HTTP, our DB manager and our search by gRPC."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.names import NUMBER_LABEL
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.trials import parse_trial
from api.objects.validation_update import completed
from api.types import Experiment, Trial
from controller.drive import Driver
from controller.memory import MemoryEvents
from controller.ports import Ports as DriverPorts
from controller.remote_observations import RemoteObservations
from controller.remote_suggestions import RemoteSuggestions, Services
from controller.trial_states import State, ended, state_of
from controller.views import Key, Policy
from dbmanager.memory import MemoryStore
from kube.apiserver import served as api_served
from kube.cluster import Cluster
from kube.memory import MemoryCluster
from tests.controller.clusters import JOB, Ports, complete, ports_of
from tests.controller.worlds import experiment
from tests.dbmanager.serving import Client, served
from tests.kube.test_client import plain
from tests.suggestion.serving import serving

KEY = Key(namespace="ns", name="exp")
T = "2026-01-02T03:04:05Z"
_POLICY = Policy(
    metrics_grace=timedelta(seconds=1),
    stop_grace=timedelta(seconds=1),
    metrics_poll=timedelta(milliseconds=50),
)


@dataclass
class Stage:
    """Everything, and the programs of a cluster that the test plays itself."""

    memory: MemoryCluster
    cluster: Cluster
    store: Client
    search: Any
    restarts: int = 0

    @asynccontextmanager
    async def controller(self) -> AsyncIterator[Ports]:
        """Run a controller that knows nothing, until the block ends."""
        async with ports_of(self.cluster) as ports:
            channel = self.search.channel
            driver = Driver(
                DriverPorts(
                    objects=ports.objects,
                    jobs=ports.jobs,
                    observations=RemoteObservations(self.store.channel),
                    suggestions=RemoteSuggestions(lambda _: Services(suggestion=channel)),
                    events=MemoryEvents(),
                ),
                random.Random(self.restarts),
                _POLICY,
            )
            self.restarts += 1
            turns = asyncio.create_task(_turns(ports, driver))
            try:
                yield ports
            finally:
                turns.cancel()
                await asyncio.gather(turns, return_exceptions=True)

    async def experiment(self) -> Experiment:
        listing = await self.memory.list(_kind("Experiment"), "ns", name="exp")
        return parse_experiment(listing.items[0], unknown_fields=False)

    async def trials(self) -> list[Trial]:
        listing = await self.memory.list(_kind("Trial"), "ns")
        return [parse_trial(document, unknown_fields=False) for document in listing.items]

    async def jobs(self) -> list[str]:
        """Name the jobs that are there and have not ended."""
        listing = await self.memory.list(JOB, "ns")
        found: list[Any] = list(listing.items)
        return sorted(job["metadata"]["name"] for job in found if not job.get("status"))

    async def train(self, name: str, *texts: str) -> None:
        """Let a trainer print these losses, and its job succeed."""
        metadata = (("trialwatch-namespace", "ns"),)
        points = [(T, "loss", text) for text in texts]
        await self.store.report(name, *points, metadata=metadata)
        await complete(self.memory, name)

    async def until(self, holds: Any) -> None:  # noqa: ANN401 - an asynchronous predicate
        async with asyncio.timeout(60):
            while not await holds():  # noqa: ASYNC110 - nobody tells when it comes to hold
                await asyncio.sleep(0.01)


def _kind(kind: str) -> Any:  # noqa: ANN401 - kube.cluster.Kind
    return type(JOB)(api_version="kubeflow.org/v1beta1", kind=kind)


async def _turns(ports: Ports, driver: Driver) -> None:
    """Give turns to what has changed and to what is due: the loop of a controller, in small."""
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
            turn = driver.experiment if kind == "e" else driver.trial
            wake = await turn(key, datetime.now(UTC))
            if wake is not None:
                due[kind, key] = wake
        soonest = min(due.values(), default=datetime.now(UTC) + timedelta(seconds=5))
        wait = max(0.0, (soonest - datetime.now(UTC)).total_seconds())
        with suppress(TimeoutError):
            # Not wait_for, which (before Python 3.12) can lose a cancellation.
            async with asyncio.timeout(wait):
                await ports.changed.wait()


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """Bring up all servers, each on a free port of this machine."""
    memory = MemoryCluster(namespaces=("ns",))
    async with (
        api_served(memory) as server,
        plain(server.url) as cluster,
        served(MemoryStore()) as store,
        serving() as search,
    ):
        yield Stage(memory=memory, cluster=cluster, store=store, search=search)


async def test_an_experiment_that_is_applied_runs_to_its_optimum() -> None:
    async with staged() as stage:
        await _runs_to_its_optimum(stage)


async def _runs_to_its_optimum(stage: Stage) -> None:
    await stage.memory.create(render_experiment(experiment()))
    losses = iter(("0.5", "0.25", "nan", "0.75"))
    async with stage.controller():

        async def over() -> bool:
            for name in await stage.jobs():
                await stage.train(name, next(losses))
            return completed(await stage.experiment())

        await stage.until(over)
        await stage.until(lambda: _no_job(stage))

    status = (await stage.experiment()).status
    assert status.conditions[-1].reason == "ExperimentMaxTrialsReached"
    assert (status.trials, status.trials_succeeded, status.trials_metrics_unavailable) == (4, 3, 1)
    assert status.optimal_trial is not None
    assert status.optimal_trial.observation.metrics[0].latest == "0.25"
    trials = await stage.trials()
    assert {trial.metadata.labels[NUMBER_LABEL] for trial in trials} == {"0", "1", "2", "3"}
    assert len({trial.spec.assignments for trial in trials}) == 4
    (broken,) = [t for t in trials if state_of(t) is State.METRICS_UNAVAILABLE]
    assert '"loss" was never a finite number' in broken.status.conditions[-1].message


async def _no_job(stage: Stage) -> bool:
    return not (await stage.memory.list(JOB, "ns")).items


@pytest.mark.parametrize("seed", range(3))
async def test_a_controller_that_is_ended_at_any_moment_and_started_again_loses_nothing(
    seed: int,
) -> None:
    async with staged() as stage:
        await _loses_nothing(stage, seed)


async def _loses_nothing(stage: Stage, seed: int) -> None:
    dice = random.Random(seed)
    await stage.memory.create(
        render_experiment(experiment(max_trial_count=6, parallel_trial_count=2))
    )
    most_active = 0
    async with asyncio.timeout(100):
        while not completed(await stage.experiment()):
            async with stage.controller():
                await asyncio.sleep(dice.uniform(0, 0.4))
            trials = await stage.trials()
            most_active = max(most_active, sum(not ended(trial) for trial in trials))
            for name in await stage.jobs():
                if dice.random() < 0.7:
                    await stage.train(name, f"0.{dice.randrange(1, 10)}")
    async with stage.controller():
        await stage.until(lambda: _no_job(stage))

    trials, status = await stage.trials(), (await stage.experiment()).status
    assert status.trials == status.trials_succeeded == len(trials) == 6
    assert most_active <= 2
    assert {t.metadata.labels[NUMBER_LABEL] for t in trials} == {str(n) for n in range(6)}
    assert status.optimal_trial is not None
    values = [float(t.status.observation.metrics[0].min) for t in trials if t.status.observation]
    assert float(status.optimal_trial.observation.metrics[0].min) == min(values)
