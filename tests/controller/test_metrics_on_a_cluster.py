"""A trial's metrics over the API server's HTTP: while it runs, at its end, and when all is gone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc.aio

from api.names import TRIAL_LABEL, UNAVAILABLE
from api.objects.experiments import render_experiment
from api.objects.validation_update import completed
from api.types import ConditionType, Trial, holds
from controller.reconcile.times import format_time
from controller.reconcile.trial_states import TrialState, has_ended, state_of
from kube.cluster import Ref
from tests.controller.cluster_ports import add_pod, complete
from tests.controller.experiment_harness import experiment
from tests.controller.fake_services import POLICY, FakeServices, fake_services
from tests.dbmanager.database_servers import free_port

LIVE = timedelta(milliseconds=200)


def pod_of(name: str) -> Ref:
    return Ref(api_version="v1", kind="Pod", namespace="ns", name=f"{name}-abcde")


@asynccontextmanager
async def one_trial(
    *, store_away: bool = False, **policy: timedelta
) -> AsyncIterator[FakeServices]:
    """Run a controller with an experiment of one trial, whose job is there."""
    async with fake_services() as fakes:
        fakes.policy = replace(POLICY, **policy)  # type: ignore[arg-type]  # its fields
        item = experiment(max_trial_count=1, parallel_trial_count=1, max_failed_trial_count=1)
        await fakes.memory.create(render_experiment(item))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{free_port()}") as nowhere:
            fakes.observations = nowhere if store_away else None
            async with fakes.controller() as ports:
                await fakes.created()
                await ports.jobs.pods.watch.synced()
                yield fakes


def latest(trial: Trial) -> str | None:
    observation = trial.status.observation
    return observation.metrics[0].latest if observation else None


async def trial_has_ended(fakes: FakeServices) -> bool:
    return has_ended(await fakes.trial())


async def test_live_values_appear_while_it_runs_and_settle_at_its_end() -> None:
    async with one_trial(live_interval=LIVE) as fakes:
        name = await fakes.created()
        for text in ("0.9", "0.5"):
            await fakes.report(name, text)
            await fakes.until(lambda text=text: _shows(fakes, text))
        assert state_of(await fakes.trial()) is TrialState.RUNNING
        assert (await fakes.experiment()).status.optimal_trial is None

        await fakes.train(name, "0.7")
        await fakes.until(lambda: trial_has_ended(fakes))
        await fakes.until(lambda: _completed(fakes))

        trial, status = await fakes.trial(), (await fakes.experiment()).status
        assert state_of(trial) is TrialState.SUCCEEDED
        assert status.optimal_trial is not None
        (metric,) = status.optimal_trial.observation.metrics
        assert (metric.min, metric.max, metric.latest) == ("0.5", "0.9", "0.7")
        assert trial.status.observation == status.optimal_trial.observation


async def _shows(fakes: FakeServices, text: str) -> bool:
    return latest(await fakes.trial()) == text


async def _completed(fakes: FakeServices) -> bool:
    return completed(await fakes.experiment())


async def test_a_pod_that_is_deleted_a_moment_after_its_end_still_says_what_went_wrong() -> None:
    near = ["epoch 1 Loss: 0.5 (it is written 'Loss' here: ask for that name)"]
    words = json.dumps({"delivered": True, "metrics": {}, "nearest": near})
    async with one_trial() as fakes:
        name = await fakes.created()
        await fakes.report(name, UNAVAILABLE)
        await add_pod(fakes.memory, name, words=words)
        await fakes.memory.delete(pod_of(name))
        await complete(fakes.memory, name)
        await fakes.until(lambda: trial_has_ended(fakes))

        trial = await fakes.trial()
        assert state_of(trial) is TrialState.METRICS_UNAVAILABLE
        assert "the nearest lines" in trial.status.conditions[-1].message
        assert "epoch 1 Loss: 0.5" in trial.status.conditions[-1].message


async def test_a_store_that_is_away_for_the_pods_whole_life_costs_no_metric() -> None:
    folded = {"count": 2, "first": "0.9", "last": "0.4", "min": "0.4", "max": "0.9"}
    words = json.dumps({"delivered": False, "why": "refused", "metrics": {"loss": folded}})
    async with one_trial(store_away=True, live_interval=LIVE) as fakes:
        name = await fakes.created()
        await add_pod(fakes.memory, name, words=words)
        await fakes.memory.delete(pod_of(name))
        await complete(fakes.memory, name)
        await fakes.until(lambda: _completed(fakes))

        trial, status = await fakes.trial(), (await fakes.experiment()).status
        assert state_of(trial) is TrialState.SUCCEEDED
        assert latest(trial) == "0.4"
        assert status.optimal_trial is not None
        assert status.optimal_trial.observation == trial.status.observation


async def test_with_neither_store_nor_words_it_says_that_the_store_is_away() -> None:
    async with one_trial(store_away=True) as fakes:
        name = await fakes.created()
        await add_pod(fakes.memory, name)
        await complete(fakes.memory, name)
        await fakes.until(lambda: trial_has_ended(fakes))

        trial = await fakes.trial()
        assert state_of(trial) is TrialState.METRICS_UNAVAILABLE
        assert "the metrics store did not answer" in trial.status.conditions[-1].message


async def test_a_pod_that_fits_on_no_node_is_reported_until_it_fits() -> None:
    async with one_trial() as fakes:
        name = await fakes.created()
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{name}-abcde", "namespace": "ns", "labels": {TRIAL_LABEL: name}},
            "spec": {"containers": [{"name": "main"}]},
        }
        await fakes.memory.create(document)
        placed = {"type": "PodScheduled", "lastTransitionTime": "2026-01-02T03:04:05Z"}
        no_room = placed | {"status": "False", "reason": "Unschedulable", "message": "no GPU"}
        await fakes.memory.patch(pod_of(name), {"status": {"conditions": [no_room]}}, status=True)
        await fakes.until(lambda: _last(fakes, "TrialPodsPending"))
        assert "Unschedulable: no GPU" in (await fakes.trial()).status.conditions[-1].message

        room = placed | {"status": "True"}
        await fakes.memory.patch(pod_of(name), {"status": {"conditions": [room]}}, status=True)
        await fakes.until(lambda: _last(fakes, "TrialRunning"))


async def _last(fakes: FakeServices, reason: str) -> bool:
    """Say whether this is the newest condition; a trial whose job is there may have none yet."""
    return reason in [each.reason for each in (await fakes.trial()).status.conditions[-1:]]


async def test_a_trial_that_was_stopped_early_keeps_its_values_and_then_loses_its_job() -> None:
    async with one_trial(live_interval=LIVE) as fakes:
        name = await fakes.created()
        await fakes.report(name, "0.9", "0.8")
        await fakes.until(lambda: _shows(fakes, "0.8"))
        await _set_trial_status(fakes)
        await fakes.train(name, "0.7")
        await fakes.until(lambda: _completed(fakes))
        await fakes.until(lambda: _gone(fakes))

        trial, status = await fakes.trial(), (await fakes.experiment()).status
        assert state_of(trial) is TrialState.EARLY_STOPPED
        assert latest(trial) == "0.7"
        assert status.trials_early_stopped == 1
        await fakes.until(lambda: _best(fakes, "0.7"))


async def _gone(fakes: FakeServices) -> bool:
    trial = await fakes.trial()
    return trial.status.completion_time is not None and not await fakes.jobs()


async def _best(fakes: FakeServices, text: str) -> bool:
    best = (await fakes.experiment()).status.optimal_trial
    return best is not None and best.observation.metrics[0].latest == text


async def _set_trial_status(fakes: FakeServices) -> None:
    """Write what the early-stopping service writes."""
    trial = await fakes.trial()
    ref = Ref(
        api_version="kubeflow.org/v1beta1", kind="Trial", namespace="ns", name=trial.metadata.name
    )
    document: Any = await fakes.memory.get(ref)
    stopped = {
        "type": "EarlyStopped",
        "status": "True",
        "reason": "TrialEarlyStopped",
        "message": "Trial is early stopped",
        "lastTransitionTime": format_time(datetime.now(UTC)),
    }
    conditions = [*document["status"]["conditions"], stopped]
    await fakes.memory.patch(ref, {"status": {"conditions": conditions}}, status=True)
    assert holds((await fakes.trial()).status.conditions, ConditionType.EARLY_STOPPED)
