"""After a run: an additional metric that no trial has printed is named, with what to try."""

from __future__ import annotations

from api.types import (
    Experiment,
    ExperimentSpec,
    Objective,
    ObjectMeta,
    Observation,
    ObservedMetric,
    Trial,
    TrialStatus,
)
from trialwatch.checks.unseen_metrics import unseen_metrics

EXPERIMENT = Experiment(
    spec=ExperimentSpec(objective=Objective(metric="loss", additional=("accuracy", "f1 score")))
)


def trial(name: str, *metrics: str, value: str = "0.5") -> Trial:
    observed = tuple(ObservedMetric(name=m, min=value, max=value, latest=value) for m in metrics)
    status = TrialStatus(observation=Observation(metrics=observed))
    return Trial(metadata=ObjectMeta(name=name), status=status)


def found(*trials: Trial) -> list[str]:
    return [str(fault) for fault in unseen_metrics(EXPERIMENT, trials)]


def test_a_metric_that_one_trial_has_printed_is_right() -> None:
    assert found(trial("a", "loss", "accuracy"), trial("b", "loss", "f1 score")) == []


def test_a_metric_that_no_trial_has_printed_gets_the_command_that_shows_similar_lines() -> None:
    assert found(trial("a", "loss"), trial("b", "loss", "accuracy")) == [
        (
            "spec.objective.additionalMetricNames[1]: none of 2 trials with metrics has printed"
            ' "f1 score"; compare the name with the output: trialwatch logs b |'
            " trialwatch extract --metrics 'f1 score' -"
        )
    ]


def test_a_metric_whose_values_were_all_nan_was_seen() -> None:
    both = trial("a", "loss")
    nan = trial("b", "accuracy", "f1 score", value="unavailable")

    assert found(both, nan, trial("c", "loss", "accuracy", "f1 score", value="nan")) == []


def test_trials_without_any_metric_are_reported_elsewhere() -> None:
    assert found(trial("a"), trial("b", "loss", value="unavailable")) == []
