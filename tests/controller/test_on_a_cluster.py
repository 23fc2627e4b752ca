"""Whole experiments: the core over the API server's HTTP, our DB manager and our search by gRPC."""

from __future__ import annotations

import asyncio
import random

import pytest

from api.names import NUMBER_LABEL
from api.objects.experiments import render_experiment
from api.objects.validation_update import completed
from controller.reconcile.trial_states import TrialState, has_ended, state_of
from kube.cluster import Scope
from tests.controller.cluster_ports import JOB
from tests.controller.experiment_harness import experiment
from tests.controller.fake_services import FakeServices, fake_services


async def test_an_experiment_that_is_applied_runs_to_its_optimum() -> None:
    async with fake_services() as fakes:
        await _runs_to_its_optimum(fakes)


async def _runs_to_its_optimum(fakes: FakeServices) -> None:
    await fakes.memory.create(render_experiment(experiment()))
    losses = iter(("0.5", "0.25", "nan", "0.75"))
    async with fakes.controller():

        async def over() -> bool:
            for name in await fakes.jobs():
                await fakes.train(name, next(losses))
            return completed(await fakes.experiment())

        await fakes.until(over)
        await fakes.until(lambda: _no_job(fakes))

    status = (await fakes.experiment()).status
    assert status.conditions[-1].reason == "ExperimentMaxTrialsReached"
    assert (status.trials, status.trials_succeeded, status.trials_metrics_unavailable) == (4, 3, 1)
    assert status.optimal_trial is not None
    assert status.optimal_trial.observation.metrics[0].latest == "0.25"
    trials = await fakes.trials()
    assert {trial.metadata.labels[NUMBER_LABEL] for trial in trials} == {"0", "1", "2", "3"}
    assert len({trial.spec.assignments for trial in trials}) == 4
    (broken,) = [t for t in trials if state_of(t) is TrialState.METRICS_UNAVAILABLE]
    assert '"loss" was never a finite number' in broken.status.conditions[-1].message


async def _no_job(fakes: FakeServices) -> bool:
    return not (await fakes.memory.list(Scope(JOB, "ns"))).items


@pytest.mark.parametrize("seed", range(3))
async def test_a_controller_that_is_ended_at_any_moment_and_started_again_loses_nothing(
    seed: int,
) -> None:
    async with fake_services() as fakes:
        await _loses_nothing(fakes, seed)


async def _loses_nothing(fakes: FakeServices, seed: int) -> None:
    dice = random.Random(seed)
    await fakes.memory.create(
        render_experiment(experiment(max_trial_count=6, parallel_trial_count=2))
    )
    most_active = 0
    async with asyncio.timeout(100):
        while not completed(await fakes.experiment()):
            async with fakes.controller():
                await asyncio.sleep(dice.uniform(0, 0.4))
            trials = await fakes.trials()
            most_active = max(most_active, sum(not has_ended(trial) for trial in trials))
            for name in await fakes.jobs():
                if dice.random() < 0.7:
                    await fakes.train(name, f"0.{dice.randrange(1, 10)}")
    async with fakes.controller():
        await fakes.until(lambda: _no_job(fakes))

    trials, status = await fakes.trials(), (await fakes.experiment()).status
    assert status.trials == status.trials_succeeded == len(trials) == 6
    assert most_active <= 2
    assert {t.metadata.labels[NUMBER_LABEL] for t in trials} == {str(n) for n in range(6)}
    assert status.optimal_trial is not None
    values = [float(t.status.observation.metrics[0].min) for t in trials if t.status.observation]
    assert float(status.optimal_trial.observation.metrics[0].min) == min(values)
