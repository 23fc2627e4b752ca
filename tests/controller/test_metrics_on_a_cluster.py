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
    async with fake_services() as stage:
        stage.policy = replace(POLICY, **policy)  # type: ignore[arg-type]  # its fields
        item = experiment(max_trial_count=1, parallel_trial_count=1, max_failed_trial_count=1)
        await stage.memory.create(render_experiment(item))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{free_port()}") as nowhere:
            stage.observations = nowhere if store_away else None
            async with stage.controller() as ports:
                await stage.created()
                await ports.jobs.pods.watch.synced()
                yield stage


def latest(trial: Trial) -> str | None:
    observation = trial.status.observation
    return observation.metrics[0].latest if observation else None


async def trial_has_ended(stage: FakeServices) -> bool:
    return has_ended(await stage.trial())


async def test_live_values_appear_while_it_runs_and_settle_at_its_end() -> None:
    async with one_trial(live_interval=LIVE) as stage:
        name = await stage.created()
        for text in ("0.9", "0.5"):
            await stage.report(name, text)
            await stage.until(lambda text=text: _shows(stage, text))
        assert state_of(await stage.trial()) is TrialState.RUNNING
        assert (await stage.experiment()).status.optimal_trial is None

        await stage.train(name, "0.7")
        await stage.until(lambda: trial_has_ended(stage))
        await stage.until(lambda: _completed(stage))

        trial, status = await stage.trial(), (await stage.experiment()).status
        assert state_of(trial) is TrialState.SUCCEEDED
        assert status.optimal_trial is not None
        (metric,) = status.optimal_trial.observation.metrics
        assert (metric.min, metric.max, metric.latest) == ("0.5", "0.9", "0.7")
        assert trial.status.observation == status.optimal_trial.observation


async def _shows(stage: FakeServices, text: str) -> bool:
    return latest(await stage.trial()) == text


async def _completed(stage: FakeServices) -> bool:
    return completed(await stage.experiment())


async def test_a_pod_that_is_deleted_a_moment_after_its_end_still_says_what_went_wrong() -> None:
    near = ["epoch 1 Loss: 0.5 (it is written 'Loss' here: ask for that name)"]
    words = json.dumps({"delivered": True, "metrics": {}, "nearest": near})
    async with one_trial() as stage:
        name = await stage.created()
        await stage.report(name, UNAVAILABLE)
        await add_pod(stage.memory, name, words=words)
        await stage.memory.delete(pod_of(name))
        await complete(stage.memory, name)
        await stage.until(lambda: trial_has_ended(stage))

        trial = await stage.trial()
        assert state_of(trial) is TrialState.METRICS_UNAVAILABLE
        assert "the nearest lines" in trial.status.conditions[-1].message
        assert "epoch 1 Loss: 0.5" in trial.status.conditions[-1].message


async def test_a_store_that_is_away_for_the_pods_whole_life_costs_no_metric() -> None:
    folded = {"count": 2, "first": "0.9", "last": "0.4", "min": "0.4", "max": "0.9"}
    words = json.dumps({"delivered": False, "why": "refused", "metrics": {"loss": folded}})
    async with one_trial(store_away=True, live_interval=LIVE) as stage:
        name = await stage.created()
        await add_pod(stage.memory, name, words=words)
        await stage.memory.delete(pod_of(name))
        await complete(stage.memory, name)
        await stage.until(lambda: _completed(stage))

        trial, status = await stage.trial(), (await stage.experiment()).status
        assert state_of(trial) is TrialState.SUCCEEDED
        assert latest(trial) == "0.4"
        assert status.optimal_trial is not None
        assert status.optimal_trial.observation == trial.status.observation


async def test_with_neither_store_nor_words_it_says_that_the_store_is_away() -> None:
    async with one_trial(store_away=True) as stage:
        name = await stage.created()
        await add_pod(stage.memory, name)
        await complete(stage.memory, name)
        await stage.until(lambda: trial_has_ended(stage))

        trial = await stage.trial()
        assert state_of(trial) is TrialState.METRICS_UNAVAILABLE
        assert "the metrics store did not answer" in trial.status.conditions[-1].message


async def test_a_pod_for_which_there_is_no_room_is_told_of_until_there_is() -> None:
    async with one_trial() as stage:
        name = await stage.created()
        document: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{name}-abcde", "namespace": "ns", "labels": {TRIAL_LABEL: name}},
            "spec": {"containers": [{"name": "main"}]},
        }
        await stage.memory.create(document)
        placed = {"type": "PodScheduled", "lastTransitionTime": "2026-01-02T03:04:05Z"}
        no_room = placed | {"status": "False", "reason": "Unschedulable", "message": "no GPU"}
        await stage.memory.patch(pod_of(name), {"status": {"conditions": [no_room]}}, status=True)
        await stage.until(lambda: _last(stage, "TrialPodsPending"))
        assert "Unschedulable: no GPU" in (await stage.trial()).status.conditions[-1].message

        room = placed | {"status": "True"}
        await stage.memory.patch(pod_of(name), {"status": {"conditions": [room]}}, status=True)
        await stage.until(lambda: _last(stage, "TrialRunning"))


async def _last(stage: FakeServices, reason: str) -> bool:
    """Say whether this is the newest condition; a trial whose job is there may have none yet."""
    return reason in [each.reason for each in (await stage.trial()).status.conditions[-1:]]


async def test_a_trial_that_was_stopped_early_keeps_its_values_and_then_loses_its_job() -> None:
    async with one_trial(live_interval=LIVE) as stage:
        name = await stage.created()
        await stage.report(name, "0.9", "0.8")
        await stage.until(lambda: _shows(stage, "0.8"))
        await _set_trial_status(stage)
        await stage.train(name, "0.7")
        await stage.until(lambda: _completed(stage))
        await stage.until(lambda: _gone(stage))

        trial, status = await stage.trial(), (await stage.experiment()).status
        assert state_of(trial) is TrialState.EARLY_STOPPED
        assert latest(trial) == "0.7"
        assert status.trials_early_stopped == 1
        await stage.until(lambda: _best(stage, "0.7"))


async def _gone(stage: FakeServices) -> bool:
    trial = await stage.trial()
    return trial.status.completion_time is not None and not await stage.jobs()


async def _best(stage: FakeServices, text: str) -> bool:
    best = (await stage.experiment()).status.optimal_trial
    return best is not None and best.observation.metrics[0].latest == text


async def _set_trial_status(stage: FakeServices) -> None:
    """Write what the early-stopping service writes."""
    trial = await stage.trial()
    ref = Ref(
        api_version="kubeflow.org/v1beta1", kind="Trial", namespace="ns", name=trial.metadata.name
    )
    document: Any = await stage.memory.get(ref)
    stopped = {
        "type": "EarlyStopped",
        "status": "True",
        "reason": "TrialEarlyStopped",
        "message": "Trial is early stopped",
        "lastTransitionTime": format_time(datetime.now(UTC)),
    }
    conditions = [*document["status"]["conditions"], stopped]
    await stage.memory.patch(ref, {"status": {"conditions": conditions}}, status=True)
    assert holds((await stage.trial()).status.conditions, ConditionType.EARLY_STOPPED)
