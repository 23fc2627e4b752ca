"""Work grows with the number of trials and no faster: the tests count calls, never seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.types import Experiment, Observation, ObservedMetric, Suggestion, Trial
from controller.reconcile.experiments import reconcile_experiment
from controller.reconcile.trial_facts import TrialFactsCache
from controller.reconcile.trial_states import TrialState
from controller.reconcile.views import ExperimentView, Policy, key_of
from tests.call_counts import calls_of
from tests.controller.experiment_harness import ExperimentHarness, experiment, loss


async def parts() -> tuple[Experiment, Suggestion, Trial]:
    harness = ExperimentHarness(experiment(max_trial_count=100_000, parallel_trial_count=1))
    await harness.settle()
    harness.succeed(harness.in_state(TrialState.RUNNING)[0], "0.5")
    await harness.settle(seconds=1)
    return harness.experiment, harness.suggestion, harness.trials[0]


def view_of(count: int, made: tuple[Experiment, Suggestion, Trial]) -> ExperimentView:
    item, suggestion, trial = made
    trials = []
    for number in range(count):
        text = str(number % 7)
        metric = ObservedMetric(name="loss", min=text, max=text, latest=text)
        status = replace(trial.status, observation=Observation(metrics=(metric,)))
        meta = replace(
            trial.metadata,
            name=f"exp-{number}",
            labels={**trial.metadata.labels, "trialwatch.dev/number": str(number)},
        )
        trials.append(replace(trial, metadata=meta, status=status))
    return ExperimentView(experiment=item, suggestion=suggestion, trials=tuple(trials))


@pytest.mark.parametrize("count", [100, 1_000])
async def test_ten_times_the_trials_are_ten_times_the_work_at_most(count: int) -> None:
    made = await parts()
    few, many = view_of(count, made), view_of(10 * count, made)
    now, policy = ExperimentHarness().now, Policy()

    a_few = calls_of(lambda: reconcile_experiment(few, now, policy))
    a_lot = calls_of(lambda: reconcile_experiment(many, now, policy))

    assert a_few > count, "the count counts"
    assert a_lot <= 10 * a_few


async def test_a_trial_that_has_not_changed_costs_a_reconcile_next_to_nothing() -> None:
    made = await parts()
    few, many = view_of(1_000, made), view_of(2_000, made)
    now, policy = ExperimentHarness().now, Policy()
    a_few, a_lot = TrialFactsCache(), TrialFactsCache()
    for view, known in ((few, a_few), (many, a_lot)):
        assert calls_of(lambda: reconcile_experiment(view, now, policy, known)) > 50 * 1_000  # noqa: B023 - called at once

    more = calls_of(lambda: reconcile_experiment(many, now, policy, a_lot))
    more -= calls_of(lambda: reconcile_experiment(few, now, policy, a_few))

    assert more <= 6 * 1_000


async def test_live_values_cost_one_question_a_beat_and_one_write_a_change() -> None:
    harness = ExperimentHarness(experiment(max_trial_count=50, parallel_trial_count=50))
    await harness.settle()
    versions = [trial.metadata.resource_version for trial in harness.trials]
    newest = harness.experiment.metadata.resource_version
    changed = harness.trials[:3]
    for trial in changed:
        harness.memory.observations.metrics[key_of(trial)] = loss("0.5")

    for _ in range(50):
        await harness.settle(seconds=1)

    assert len(harness.memory.observations.asked_live) == 50 * 5
    after = [trial.metadata.resource_version for trial in harness.trials]
    assert sum(old != new for old, new in zip(versions, after, strict=True)) == len(changed)
    assert harness.experiment.metadata.resource_version == newest
    assert max(map(int, after)) == int(newest) + len(changed)


async def test_the_suggestion_stays_as_small_after_a_hundred_trials_as_after_one() -> None:
    harness = ExperimentHarness(experiment(max_trial_count=100, parallel_trial_count=4))
    while harness.experiment.status.trials_succeeded < 100:
        await harness.settle(seconds=1)
        for trial in harness.in_state(TrialState.RUNNING):
            harness.succeed(trial, "0.5")

    assert harness.suggestion.status.suggestion_count == 100
    assert harness.suggestion.status.suggestions == ()
