"""A leadership term: deletions end, missing rights are reported, one namespace is enough."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from api.installation.trial_kinds import TrialKind, TrialKinds
from api.objects.validation_update import completed
from api.types import Experiment, JsonObject, Trial, holds
from controller.driver.memory import MemoryObservations, MemorySuggestions
from controller.driver.ports import RecordedTrial
from controller.metrics import Metrics
from controller.on_kube.leftover_record import ClusterLeftoverRecord
from controller.reconcile.trial_states import TrialState, state_of
from controller.reconcile.views import Key, MetricSummary, SuggestionReply, key_of
from kube.cluster import Resource, Scope, ref_of
from kube.discovery import FORGET_SECONDS
from kube.fencing import FencedCluster
from kube.testing.apiserver import served
from tests.controller.cluster_ports import job_ref
from tests.controller.experiment_harness import JOB, experiment, loss, template
from tests.controller.leader_harness import LeaderHarness, RefusingCluster
from tests.kube.faulty_cluster import Faults, FaultyCluster
from tests.kube.test_client import Clock, plain
from tests.polling import eventually
from tests.virtual_time import in_virtual_time

DEAF = Faults(refuse=0, cut=0, end=0, repeat=0, old=0, miss=1, forget=0, stall=0)


DONE = 'status.conditions.#(type=="Complete")#|#(status=="True")#'
FAILED = 'status.conditions.#(type=="Failed")#|#(status=="True")#'


def situation(test: Callable[[LeaderHarness], Awaitable[None]]) -> Callable[[], None]:
    """Let a test run in virtual time, with a harness of its own."""

    def run() -> None:
        async def inside() -> None:
            await test(LeaderHarness(RefusingCluster()))

        in_virtual_time(inside())

    run.__name__ = getattr(test, "__name__", "test")
    return run


class Hanging(MemorySuggestions):
    """A search that has the question, and never answers."""

    async def ask(
        self, experiment: Experiment, trials: Sequence[Trial], asked: int, count: int
    ) -> SuggestionReply:
        if self.asked:
            await asyncio.sleep(300)
        return await super().ask(experiment, trials, asked, count)


class Silent(MemoryObservations):
    """A store that takes every call, and answers none."""

    async def summary(self, trial: Trial) -> Sequence[MetricSummary]:
        await asyncio.sleep(10)
        self.away = "it did not answer in time"
        return await super().summary(trial)

    async def delete(self, trial: Trial) -> None:
        await asyncio.sleep(10)
        self.away = "it did not answer in time"
        await super().delete(trial)


async def until_gone(harness: LeaderHarness) -> float:
    """Be the garbage collector until nothing of the experiment is left; say how long it took."""
    clock = asyncio.get_running_loop().time
    started = clock()
    async with asyncio.timeout(1000):
        while await harness.experiment() or await harness.trials():
            await harness.cluster.collect_garbage()
            await asyncio.sleep(0.1)
    return clock() - started


@situation
async def test_an_experiment_is_brought_to_its_end(harness: LeaderHarness) -> None:
    await harness.apply(experiment())
    async with harness.leading():
        for _ in range(20):
            await asyncio.sleep(1)
            for name in await harness.jobs():
                await harness.train(name)
        found = await harness.experiment()

    assert found is not None
    assert completed(found)
    assert found.status.trials_succeeded == 4
    errors = re.findall(r"turn_errors_total\{.*\} (\S+)", harness.metrics.text().decode())
    assert set(errors) == {"0.0"}


@situation
async def test_a_deleted_experiment_goes_at_once_with_all_that_it_has(
    harness: LeaderHarness,
) -> None:
    await harness.apply(experiment())
    async with harness.leading():
        await asyncio.sleep(2)
        assert len(await harness.trials()) == 2
        await harness.delete()
        assert await until_gone(harness) < 5
        assert await harness.jobs() == []


@situation
async def test_a_search_that_hangs_does_not_hold_a_deleted_experiment(
    harness: LeaderHarness,
) -> None:
    """Katib's finalizer is on it, which only a turn of its own can take away."""
    harness.memory.suggestions = Hanging()
    plain = experiment(parallel_trial_count=1)
    held = replace(plain.metadata, finalizers=("update-prometheus-metrics",))
    await harness.apply(replace(plain, metadata=held))
    async with harness.leading():
        await asyncio.sleep(2)
        for name in await harness.jobs():
            await harness.train(name)
        await asyncio.sleep(20)  # the second question is open now
        await harness.delete()
        assert await until_gone(harness) < 5


@pytest.mark.parametrize("how", ["away", "silent"])
def test_a_store_that_is_away_holds_a_deleted_experiment_for_a_bounded_time(how: str) -> None:
    async def test(harness: LeaderHarness) -> None:
        await harness.apply(experiment())
        if how == "silent":
            harness.memory.observations = Silent()
        async with harness.leading():
            await asyncio.sleep(2)
            harness.memory.observations.away = "connection refused"
            await harness.delete()
            took = await until_gone(harness)
        assert took < 60 + 2 * 10 + 5
        assert (
            "its metrics are still in the store" in harness.event_messages("MetricsNotDeleted")[0]
        )

    situation(test)()


@pytest.mark.parametrize("record", ["works", "refused"])
def test_metrics_that_could_not_be_deleted_are_deleted_by_the_next_leader(record: str) -> None:
    async def test(harness: LeaderHarness) -> None:
        await harness.apply(experiment())
        async with harness.leading():
            await asyncio.sleep(2)
            metrics = harness.memory.observations.metrics
            for trial in await harness.trials():
                metrics[key_of(trial)] = loss("1")
            harness.memory.observations.away = "connection refused"
            if record == "refused":
                harness.cluster.refused = {("get", "Lease"), ("create", "Lease")}
            await harness.delete()
            assert await until_gone(harness) < 60 + 2 * 10 + 5, "the record holds nothing up"
        assert metrics

        harness.cluster.refused = set()
        async with harness.leading():
            await asyncio.sleep(60)
            assert metrics, "the store is still away"
            harness.memory.observations.away = ""
            await asyncio.sleep(700)
        assert bool(metrics) == (record == "refused")

        async with harness.leading():
            await asyncio.sleep(60)
        assert await recorded(harness) == []

    situation(test)()


async def recorded(harness: LeaderHarness) -> Sequence[RecordedTrial]:
    return await ClusterLeftoverRecord(harness.cluster, "kubeflow").read()


@pytest.mark.parametrize("verbs", [("delete",), ("get", "list", "watch")], ids="-".join)
def test_a_right_that_is_missing_holds_a_deleted_trial_for_a_bounded_time(
    verbs: Sequence[str],
) -> None:
    async def test(harness: LeaderHarness) -> None:
        harness.cluster.refused = {(verb, "Job") for verb in verbs}
        await harness.apply(experiment())
        async with harness.leading():
            await asyncio.sleep(40)  # what may not be listed is waited for
            name = (await harness.trials())[0].metadata.name
            await harness.delete_trial(name)
            await asyncio.sleep(50)
            assert name in [trial.metadata.name for trial in await harness.trials()]
            await asyncio.sleep(60 + 25)  # it is looked at less and less often
            assert name not in [trial.metadata.name for trial in await harness.trials()]
        reported = harness.event_messages("JobNotDeleted")
        assert reported[0].startswith(
            "the cluster's garbage collection will delete its job: you may not"
        )

    situation(test)()


@situation
async def test_jobs_that_may_not_be_created_are_reported_and_created_when_they_may(
    harness: LeaderHarness,
) -> None:
    harness.cluster.refused = {("create", "Job")}
    await harness.apply(experiment())
    async with harness.leading():
        await asyncio.sleep(30)
        assert {state_of(trial) for trial in await harness.trials()} == {TrialState.PENDING}
        assert "you may not create Job; give this program's account the right" in "".join(
            harness.event_messages("ReconcileError")
        )
        harness.cluster.refused = set()
        await asyncio.sleep(65)
        assert len(await harness.jobs()) == 2


@situation
async def test_jobs_that_may_not_be_watched_are_polled_and_that_is_reported(
    harness: LeaderHarness,
) -> None:
    harness.cluster.refused = {("list", "Job"), ("watch", "Job")}
    await harness.apply(experiment())
    async with harness.leading():
        for _ in range(60):
            await asyncio.sleep(2)
            for name in await harness.jobs():
                await harness.train(name)
        found = await harness.experiment()

    assert found is not None
    assert completed(found)
    assert "cannot watch its job" in harness.event_messages("JobNotWatched")[0]


@pytest.mark.parametrize("kind", ["Experiment", "Trial", "Suggestion", "Pod", "Event"])
def test_a_kind_that_may_not_be_listed_is_waited_for(kind: str) -> None:
    async def test(harness: LeaderHarness) -> None:
        harness.cluster.refused = {("list", kind)}
        await harness.apply(experiment())
        async with harness.leading() as term:
            await asyncio.sleep(20)
            of_ours = kind in {"Experiment", "Trial", "Suggestion"}
            reported = [
                line for line in term.unready_reasons() if f"you may not list {kind}" in line
            ]
            assert bool(reported) == of_ours
            harness.cluster.refused = set()
            await asyncio.sleep(20)
            assert list(term.unready_reasons()) == []
            assert len(await harness.jobs()) == 2

    situation(test)()


@situation
async def test_one_namespace_is_looked_after_without_a_list_of_all(harness: LeaderHarness) -> None:
    harness.cluster.one_namespace = True
    harness.namespace = "ns"
    await harness.apply(experiment())
    await harness.apply(experiment(namespace="other"))
    async with harness.leading() as term:
        await asyncio.sleep(5)
        assert list(term.unready_reasons()) == []
        assert len(await harness.jobs()) == 2
        assert await harness.trials("other") == []


@situation
async def test_a_leader_that_has_lost_its_lease_writes_nothing_any_more(
    harness: LeaderHarness,
) -> None:
    leads = True
    await harness.apply(experiment())
    async with harness.leading(FencedCluster(harness.cluster, lambda: leads)):
        await asyncio.sleep(5)
        leads = False
        before = [trial.metadata.resource_version for trial in await harness.trials()]
        for name in await harness.jobs():
            await harness.train(name)
        await asyncio.sleep(30)
        assert [trial.metadata.resource_version for trial in await harness.trials()] == before


@situation
async def test_although_every_event_is_lost_lists_alone_bring_it_to_its_end(
    harness: LeaderHarness,
) -> None:
    await harness.apply(experiment())
    async with harness.leading(FaultyCluster(harness.cluster, Random(1), DEAF)):
        for _ in range(10):
            await asyncio.sleep(1500)
            for name in await harness.jobs():
                await harness.train(name)
        found = await harness.experiment()

    assert found is not None
    assert completed(found)


@situation
async def test_a_job_that_others_deleted_before_any_watch_saw_it_is_made_anew(
    harness: LeaderHarness,
) -> None:
    await harness.apply(experiment())
    async with harness.leading(FaultyCluster(harness.cluster, Random(1), DEAF)):
        await asyncio.sleep(5)
        before = await harness.jobs()
        await harness.cluster.delete(job_ref(before[0]))
        await asyncio.sleep(1800)
        assert await harness.jobs() == before


@situation
async def test_what_there_is_is_counted_by_katibs_names(harness: LeaderHarness) -> None:
    await harness.apply(experiment())
    async with harness.leading() as term:
        await asyncio.sleep(5)
        harness.metrics.watch_states("experiments", term.experiments)
        harness.metrics.watch_states("trials", term.trials)
        text = harness.metrics.text().decode()

    assert 'katib_experiments_current{namespace="ns",status="Running"} 1.0' in text
    assert 'katib_trials_current{namespace="ns",status="Running"} 2.0' in text


@situation
async def test_what_happens_is_counted_by_katibs_names_and_what_was_there_before_is_not(
    harness: LeaderHarness,
) -> None:
    await harness.apply(experiment(max_trial_count=3, parallel_trial_count=1))
    async with harness.leading():
        await asyncio.sleep(5)
    harness.metrics = Metrics()
    async with harness.leading():
        for text in ("0.5", "nan", "0.25"):
            await asyncio.sleep(5)
            await harness.train((await harness.jobs())[0], text)
            await asyncio.sleep(90)
        await harness.delete()
        await until_gone(harness)

    lines = harness.metrics.text().decode().splitlines()
    counted = dict(line.rsplit(" ", 1) for line in lines if re.match(r"katib_\w+_total\{", line))
    assert counted == {
        'katib_experiment_succeeded_total{namespace="ns"}': "1.0",
        'katib_experiment_deleted_total{namespace="ns"}': "1.0",
        'katib_trial_created_total{namespace="ns"}': "2.0",
        'katib_trial_succeeded_total{namespace="ns"}': "2.0",
        'katib_trial_metrics_unavailable_total{namespace="ns"}': "1.0",
        'katib_trial_deleted_total{namespace="ns"}': "3.0",
    }


def of_an_unknown_kind() -> Experiment:
    foo: JsonObject = {**JOB, "apiVersion": "example.org/v1", "kind": "FooJob"}
    spec = template(trial_spec=foo, success_condition=DONE, failure_condition=FAILED)
    return experiment(trial_template=spec)


def with_foo_jobs(harness: LeaderHarness) -> LeaderHarness:
    """Let the administrator list the kind."""
    harness.trial_kinds = TrialKinds((TrialKind(group="example.org", version="v1", kind="FooJob"),))
    return harness


@situation
async def test_trials_of_a_kind_that_the_cluster_does_not_have_wait_and_go_when_they_are_deleted(
    harness: LeaderHarness,
) -> None:
    await with_foo_jobs(harness).apply(of_an_unknown_kind())
    async with harness.leading():
        await asyncio.sleep(20)
        trials = await harness.trials()
        assert [holds(trial.status.conditions, "Created") for trial in trials] == [True, True]
        assert {state_of(trial) for trial in trials} == {TrialState.PENDING}
        assert "does not serve the kind FooJob" in harness.event_messages("ReconcileError")[0]
        await harness.delete()
        assert await until_gone(harness) < 5


async def test_a_kind_whose_definition_comes_later_needs_no_restart() -> None:
    """Over HTTP, where kinds are looked up; in the time of this machine."""
    harness, clock = with_foo_jobs(LeaderHarness(RefusingCluster())), Clock()
    async with (
        served(harness.cluster) as server,
        plain(server.url, clock=clock) as cluster,
        harness.leading(cluster),
    ):
        await harness.apply(of_an_unknown_kind())
        await eventually(
            lambda: "install what defines it" in "".join(harness.event_messages("ReconcileError"))
        )

        resource = Resource(
            api_version="example.org/v1", kind="FooJob", plural="foojobs", namespaced=True
        )
        harness.cluster.resources[resource.of] = resource
        clock.now += FORGET_SECONDS
        await eventually(lambda: len(harness.event_messages("JobRunning")) == 2)
        jobs: Any = (await harness.cluster.list(Scope(resource.of, "ns"))).items
        name = jobs[0]["metadata"]["name"]
        harness.memory.observations.metrics[Key(namespace="ns", name=name)] = loss("0.5")
        done: JsonObject = {"conditions": [{"type": "Complete", "status": "True"}]}
        await harness.cluster.patch(ref_of(jobs[0]), {"status": done})
        await eventually(
            lambda: harness.event_messages("JobSucceeded") == [f"Job {name} has succeeded"]
        )
