"""`python -m controller`: real processes, a cluster over HTTP, our DB manager and our search."""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.names import NUMBER_LABEL
from api.objects.experiments import parse_experiment, render_experiment
from api.objects.trials import parse_trial
from api.objects.validation_update import completed
from api.types import (
    AlgorithmSpec,
    EarlyStoppingSpec,
    Experiment,
    JsonObject,
    Setting,
    Trial,
)
from controller.reconcile.trial_states import has_ended
from controller.settings import PROGRAM
from dbmanager.store.memory import MemoryStore
from kube.cluster import ChangeType, Kind, Ref, Scope, ref_of
from kube.testing.apiserver import ApiServer
from kube.testing.apiserver import served as api_served
from kube.testing.memory import MemoryCluster
from tests.controller.cluster_ports import JOB, complete
from tests.controller.controller_process import ControllerProcess, controller_process
from tests.controller.experiment_harness import experiment
from tests.controller.katib_search_service import KatibSearchService, katib_search_service
from tests.dbmanager.dbmanager_server import Client, served
from tests.polling import eventually
from tests.suggestion.suggestion_server import serving

T = "2026-01-02T03:04:05Z"
LEASE = Ref(
    api_version="coordination.k8s.io/v1",
    kind="Lease",
    namespace="kubeflow",
    name="trialwatch-controller",
)
FAST = (
    "--leader-elect-lease-duration=2s",
    "--leader-elect-renew-deadline=1200ms",
    "--leader-elect-retry-period=300ms",
)
TIMES = ("--metrics-grace", "1s", "--metrics-poll", "50ms", "--stop-grace", "1s")


def kubeflow(kind: str) -> Kind:
    return Kind(api_version="kubeflow.org/v1beta1", kind=kind)


@dataclass
class Town:
    """A cluster with all its programs but the controller; the test is the Job controller."""

    memory: MemoryCluster
    api: ApiServer
    store: Client
    flags: tuple[str, ...]
    folder: Path

    def controller(self, name: str = "one", *flags: str) -> Any:  # noqa: ANN401 - a context
        kubeconfig = self.folder / "kubeconfig"
        return controller_process(kubeconfig, self.folder / name, *self.flags, *TIMES, *flags)

    async def experiment(self, name: str = "exp") -> Experiment:
        ref = Ref(api_version="kubeflow.org/v1beta1", kind="Experiment", namespace="ns", name=name)
        return parse_experiment(await self.memory.get(ref), unknown_fields=False)

    async def trials(self) -> list[Trial]:
        listing = await self.memory.list(Scope(kubeflow("Trial"), "ns"))
        return [parse_trial(document, unknown_fields=False) for document in listing.items]

    async def jobs(self) -> list[str]:
        """Name the jobs that are there and have not ended."""
        found: list[Any] = list((await self.memory.list(Scope(JOB, "ns"))).items)
        return sorted(job["metadata"]["name"] for job in found if not job.get("status"))

    async def train(self, name: str, loss: str) -> None:
        """Let a trainer print this loss, and its job succeed."""
        await self.store.report(name, (T, "loss", loss), metadata=(("trialwatch-namespace", "ns"),))
        await complete(self.memory, name)

    async def train_all(self, dice: random.Random) -> None:
        for name in await self.jobs():
            await self.train(name, f"0.{dice.randrange(1, 10)}")

    async def until(self, holds: Any) -> None:  # noqa: ANN401 - an asynchronous predicate
        async with asyncio.timeout(60):
            while not await holds():  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.02)

    async def holder(self) -> str:
        """Return the holder of the Lease: each process writes its own name."""
        lease: Any = await self.memory.get(LEASE)
        return str(lease["spec"]["holderIdentity"])


@asynccontextmanager
async def town_of(memory: MemoryCluster, folder: Path) -> AsyncIterator[Town]:
    """Bring up all servers, each on a free port of this machine."""
    async with (
        api_served(memory) as api,
        served(MemoryStore()) as store,
        serving() as search,
    ):
        api.write_kubeconfig(folder / "kubeconfig")
        flags = ("--db-manager", store.address, "--suggestion", search.address)
        town = Town(memory=memory, api=api, store=store, flags=flags, folder=folder)
        yield town
        del town.store  # pytest keeps its fixtures for a while, and gRPC would live as long


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with town_of(MemoryCluster(namespaces=("ns", "kubeflow")), tmp_path) as town:
        yield town


async def test_an_experiment_that_is_applied_runs_to_its_optimum(town: Town) -> None:
    await town.memory.create(render_experiment(experiment()))
    losses = iter(("0.5", "0.25", "0.75", "0.3"))

    async with town.controller() as running:
        await running.ready()

        async def over() -> bool:
            for name in await town.jobs():
                await town.train(name, next(losses))
            return completed(await town.experiment())

        await town.until(over)
        running.end()
        assert await running.ended() == 0

    status = (await town.experiment()).status
    assert status.conditions[-1].reason == "ExperimentMaxTrialsReached"
    assert (status.trials, status.trials_succeeded) == (4, 4)
    assert status.optimal_trial is not None
    assert status.optimal_trial.observation.metrics[0].latest == "0.25"
    assert running.log()[-1]["message"] == "ended"
    assert not any("trace" in line for line in running.log())


async def test_a_rule_stops_the_worse_trial_by_the_values_in_the_store(town: Town) -> None:
    asha = EarlyStoppingSpec(name="asha", settings=(Setting(name="resource", value="points"),))
    item = experiment(early_stopping=asha, max_trial_count=2)
    await town.memory.create(render_experiment(item))
    namespace = (("trialwatch-namespace", "ns"),)

    async with town.controller() as running:

        async def two_jobs() -> bool:
            return len(await town.jobs()) == 2

        async def one_job() -> bool:
            return await town.jobs() == [good]

        await town.until(two_jobs)
        good, bad = await town.jobs()
        await town.store.report(good, (T, "loss", "0.4"), metadata=namespace)
        await town.store.report(bad, (T, "loss", "0.6"), metadata=namespace)
        await town.until(one_job)
        await town.train(good, "0.3")

        async def over() -> bool:
            return completed(await town.experiment())

        await town.until(over)
        running.end()
        assert await running.ended() == 0

    status = (await town.experiment()).status
    assert (status.trials_succeeded, status.trials_early_stopped) == (1, 1)
    (stopped,) = [one for one in await town.trials() if one.metadata.name == bad]
    assert stopped.status.conditions[-1].message == (
        "Trial is early stopped: asha: 1 of 2 trials had a better loss until 1 value; the best 1"
        " go on"
    )
    assert stopped.status.observation is not None
    assert stopped.status.observation.metrics[0].latest == "0.6"


async def test_the_states_of_a_trial_are_posted_as_events(town: Town) -> None:
    await town.memory.create(render_experiment(experiment(max_trial_count=1)))
    async with town.controller() as running:

        async def over() -> bool:
            await town.train_all(random.Random(1))
            return completed(await town.experiment())

        await town.until(over)
        running.end()
        assert await running.ended() == 0

    found: list[Any] = list(
        (await town.memory.list(Scope(Kind(api_version="v1", kind="Event")))).items
    )
    reasons = {(event["involvedObject"]["kind"], event["reason"]) for event in found}
    assert ("Trial", "JobCreated") in reasons
    assert ("Trial", "JobSucceeded") in reasons
    assert ("Experiment", "ExperimentMaxTrialsReached") in reasons
    assert {event["source"]["component"] for event in found} == {"trialwatch-controller"}


async def test_after_sigterm_it_releases_the_lease_and_the_next_goes_on_at_once(
    town: Town,
) -> None:
    await town.memory.create(render_experiment(experiment()))
    async with town.controller("one") as one, town.controller("two") as two:
        await town.until(lambda: _anybody(one, two))
        first, second = (one, two) if await one.leads() else (two, one)
        await second.ready()
        assert not await second.leads()
        before = await town.holder()
        first.end()
        assert await first.ended() == 0
        assert await town.holder() != before
        await town.until(second.leads)

        async def over() -> bool:
            await town.train_all(random.Random(1))
            return completed(await town.experiment())

        await town.until(over)


async def _anybody(*programs: ControllerProcess) -> bool:
    return any([await one.leads() for one in programs])


class Gated(MemoryCluster):
    """It stores no trial before the gate is open."""

    def __init__(self) -> None:
        super().__init__(namespaces=("ns", "kubeflow"))
        self.gate, self.waiting = asyncio.Event(), 0

    async def create(self, document: JsonObject) -> JsonObject:
        if document["kind"] == "Trial":
            self.waiting += 1
            await self.gate.wait()
        return await super().create(document)


async def test_after_sigterm_it_finishes_writes_under_way_and_then_releases_the_lease(
    tmp_path: Path,
) -> None:
    memory = Gated()
    async with town_of(memory, tmp_path) as town:
        await memory.create(render_experiment(experiment(max_trial_count=1)))
        async with town.controller() as running:
            await eventually(lambda: memory.waiting > 0)
            running.end()
            await eventually(lambda: running.log()[-1]["message"].startswith("draining"))
            assert await town.holder() != ""
            memory.gate.set()
            assert await running.ended() == 0
        assert len(await town.trials()) == 1
        assert await town.holder() == ""


async def test_the_lease_is_renewed_however_many_requests_wait_for_an_answer(
    tmp_path: Path,
) -> None:
    memory, renewals = Gated(), set()
    async with town_of(memory, tmp_path) as town:
        for number in range(12):
            one = experiment(name=f"exp-{number}", max_trial_count=10, parallel_trial_count=10)
            await memory.create(render_experiment(one))
        async with town.controller() as running:
            await eventually(lambda: memory.waiting > 85)  # as many as there are connections

            async def renewed() -> bool:
                lease: Any = await memory.get(LEASE)
                renewals.add(lease["spec"]["renewTime"])
                return len(renewals) > 2

            await town.until(renewed)
            memory.gate.set()
            assert [line["message"] for line in running.log()].count("acquired the Lease") == 1


async def test_it_lives_through_an_absence_of_the_api_server(town: Town) -> None:
    """It is so long that the Lease is lost; then all is taken up again."""
    await town.memory.create(render_experiment(experiment()))
    port = int(town.api.url.rpartition(":")[2])
    async with town.controller("one", *FAST) as running:
        await town.until(lambda: _has_jobs(town))
        await town.api.stop()
        await running.until("/metrics", lambda _, text: "controller_leading 0.0" in text)
        await running.until("/readyz", lambda status, _: status == 503)
        assert (await running.get("/healthz"))[0] == 200
        await town.api.start(port)
        await running.ready()
        await town.until(lambda: _trained(town, random.Random(1)))
        running.end()
        assert await running.ended() == 0

    assert not any("trace" in line for line in running.log())


async def _has_jobs(town: Town) -> bool:
    return len(await town.jobs()) == 2


async def _trained(town: Town, dice: random.Random, *, likely: float = 0.2) -> bool:
    """Let what runs now and then come to its end; say whether all is over."""
    for name in await town.jobs():
        if dice.random() < likely:
            await town.train(name, f"0.{dice.randrange(1, 10)}")
    return completed(await town.experiment())


@pytest.mark.parametrize("seed", range(2))
async def test_leaders_that_are_killed_at_any_moment_keep_to_one_budget(
    town: Town, seed: int
) -> None:
    dice, over = random.Random(seed), asyncio.Event()
    made: Counter[str] = Counter()
    kills = 0

    async def note(kind: Kind) -> None:
        async for change in town.memory.watch(Scope(kind, "ns"), since="0"):
            if change.type is ChangeType.ADDED:
                made[str(ref_of(change.document))] += 1

    async def replica(slot: int) -> None:
        nonlocal kills
        for life in itertools.count():
            async with town.controller(f"{slot}-{life}", *FAST) as running:
                # Most are killed while they lead, some while they start, or wait.
                patient = dice.random() < 0.7
                while patient and not over.is_set() and not await running.leads():  # noqa: ASYNC110 - of another process
                    await asyncio.sleep(0.1)
                with suppress(TimeoutError):
                    async with asyncio.timeout(dice.uniform(0, 4)):
                        await over.wait()
                        return
                kills += await running.leads()
                running.process.kill()
                await running.process.wait()

    await town.memory.create(
        render_experiment(experiment(max_trial_count=6, parallel_trial_count=2))
    )
    notes = [asyncio.create_task(note(kind)) for kind in (JOB, kubeflow("Trial"))]
    most_active = 0
    async with asyncio.TaskGroup() as replicas:
        for slot in range(2):
            replicas.create_task(replica(slot))
        async with asyncio.timeout(240):
            while not await _trained(town, dice, likely=0.05) or not kills:
                active = [trial for trial in await town.trials() if not has_ended(trial)]
                most_active = max(most_active, len(active))
                await asyncio.sleep(0.05)
        over.set()
    for one in notes:
        one.cancel()
    await asyncio.gather(*notes, return_exceptions=True)

    trials = await town.trials()
    status = (await town.experiment()).status
    assert status.trials == status.trials_succeeded == len(trials) == 6
    assert {t.metadata.labels[NUMBER_LABEL] for t in trials} == {str(n) for n in range(6)}
    assert most_active <= 2
    assert kills > 0
    assert len(made) == 12  # each trial and its job
    assert set(made.values()) == {1}


def run(*words: str) -> tuple[int, str]:
    command = (sys.executable, "-m", "controller", *words)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr or done.stdout


def test_its_help_is_a_success() -> None:
    assert run("--help") == (0, PROGRAM.usage())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["--kubeconfig", "nowhere"],
            "controller: --kubeconfig: cannot use nowhere: the file does not exist",
        ),
        ([], "controller: cannot find a cluster"),
        (["--name-space", "ns"], "unknown flag"),
        (["--namespace", "A/b"], '--namespace: "A/b" is not the name of a namespace'),
        (["--leader-elect=perhaps"], "--leader-elect: "),
        (["--metrics-poll", "0s"], "--metrics-poll: 0s would ask again without a pause"),
        (["--kubeconfig", "HERE", "--katib-config", "no"], "--katib-config: cannot"),
        (["--kubeconfig", "HERE", "--listen", "192.0.2.1:1"], "--listen: cannot listen"),
    ],
)
def test_a_wrong_set_up_ends_it_with_one_line(words: list[str], says: str, tmp_path: Path) -> None:
    server = ApiServer(MemoryCluster())
    server.url = "http://127.0.0.1:1"
    here = str(server.write_kubeconfig(tmp_path / "kubeconfig"))

    status, text = run(*(here if word == "HERE" else word for word in words))

    assert status == 2
    assert says in text.splitlines()[-1]


async def test_katib_config_says_where_an_algorithm_is_asked(town: Town) -> None:
    service = KatibSearchService()
    async with katib_search_service(service) as address:
        config = f"runtime: {{suggestions: [{{algorithmName: theirs, endpoint: '{address}'}}]}}"
        document: Any = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "katib-config", "namespace": "kubeflow"},
            "data": {"katib-config.yaml": config},
        }
        await town.memory.create(document)
        item = experiment(algorithm=AlgorithmSpec(name="theirs"), max_trial_count=2)
        await town.memory.create(render_experiment(item))
        async with town.controller():

            async def over() -> bool:
                await town.train_all(random.Random(1))
                return completed(await town.experiment())

            await town.until(over)

    assert sorted(trial.spec.assignments[0].value for trial in await town.trials()) == [
        "0.0",
        "0.1",
    ]
    assert service.validated == 1
