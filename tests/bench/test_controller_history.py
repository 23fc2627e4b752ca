"""The histories that the controller's bench makes."""

from __future__ import annotations

from bench.controller import experiment
from bench.controller_figures import Shape
from bench.controller_history import ended_trials, experiment_of
from controller.reconcile.experiments import reconcile_experiment
from controller.reconcile.trial_facts import facts_of_trials
from controller.reconcile.trial_states import TrialState
from controller.reconcile.views import ExperimentView, Policy
from tests.controller.experiment_harness import START


def test_a_history_is_of_trials_that_have_succeeded_each_with_a_number_and_a_value() -> None:
    item = experiment_of(experiment("e", Shape(1, 100)), "other")

    members = facts_of_trials(ended_trials(item, 5))

    assert [one.order[0] for one in members] == [0, 1, 2, 3, 4]
    assert {one.state for one in members} == {TrialState.SUCCEEDED}
    assert len({one.value for one in members}) == 5
    assert members[0].trial.metadata.name == "other-00000000"


def test_an_experiment_of_the_bench_is_one_that_is_searched() -> None:
    item = experiment_of(experiment("e", Shape(1, 100)))
    (first,) = reconcile_experiment(ExperimentView(experiment=item), START, Policy())
    assert type(first).__name__ == "WriteStatus"
