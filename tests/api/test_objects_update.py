"""What of an experiment may still be changed, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from api.objects.defaults import with_defaults
from api.objects.experiments import parse_experiment
from api.objects.validation_update import completed, restartable, update_faults
from api.types import (
    AlgorithmSpec,
    Condition,
    ConditionStatus,
    Experiment,
    ResumePolicy,
)

MAX_REACHED = "ExperimentMaxTrialsReached"


@pytest.fixture
def old(document: dict[str, Any]) -> Experiment:
    return with_defaults(parse_experiment(document))


def changed(experiment: Experiment, **parts: Any) -> Experiment:  # noqa: ANN401
    return replace(experiment, spec=replace(experiment.spec, **parts))


def ended(experiment: Experiment, kind: str, reason: str, status: str = "True") -> Experiment:
    condition = Condition(type=kind, status=ConditionStatus(status), reason=reason)
    return replace(experiment, status=replace(experiment.status, conditions=(condition,)))


def found(old: Experiment, new: Experiment) -> list[str]:
    return [f"{f.path} {f.message.split()[0].rstrip(':')}" for f in update_faults(old, new)]


def test_no_change_is_no_fault(old: Experiment) -> None:
    assert found(old, old) == []


def test_the_three_counts_may_be_changed(old: Experiment) -> None:
    new = changed(old, parallel_trial_count=1, max_trial_count=20, max_failed_trial_count=9)
    assert found(old, new) == []


def test_another_algorithm_is_another_experiment(old: Experiment) -> None:
    assert found(old, changed(old, algorithm=AlgorithmSpec(name="tpe"))) == ["spec Forbidden"]


@pytest.mark.parametrize(("trials", "expected"), [(19, []), (20, ["spec.maxTrialCount Invalid"])])
def test_a_new_limit_is_above_the_trials_there_are(
    old: Experiment, trials: int, expected: list[str]
) -> None:
    running = replace(old, status=replace(old.status, trials=trials))
    assert found(running, changed(running, max_trial_count=20)) == expected


def test_while_the_last_trials_run_fewer_may_run_at_a_time(old: Experiment) -> None:
    last = replace(changed(old, max_trial_count=12), status=replace(old.status, trials=12))
    assert found(last, changed(last, parallel_trial_count=1)) == []


def test_a_status_of_a_completed_experiment_may_change(old: Experiment) -> None:
    over = ended(old, "Failed", "ExperimentFailed")
    assert found(over, replace(over, status=old.status)) == []


def test_a_completed_experiment_that_keeps_nothing_stays_completed(old: Experiment) -> None:
    over = ended(old, "Succeeded", MAX_REACHED)
    new = changed(over, resume_policy=None, max_trial_count=99)
    assert found(over, new) == ["spec.resumePolicy Invalid", "spec Forbidden"]


# Whether a larger maxTrialCount wakes an experiment up:
@pytest.mark.parametrize(
    ("kind", "reason", "status", "policy", "over", "again"),
    [
        ("Running", "", "True", ResumePolicy.LONG_RUNNING, False, False),
        ("Succeeded", MAX_REACHED, "True", ResumePolicy.LONG_RUNNING, True, True),
        ("Succeeded", MAX_REACHED, "True", ResumePolicy.FROM_VOLUME, True, True),
        ("Succeeded", MAX_REACHED, "True", ResumePolicy.NEVER, True, False),
        ("Succeeded", MAX_REACHED, "False", ResumePolicy.LONG_RUNNING, False, False),
        ("Succeeded", "ExperimentGoalReached", "True", ResumePolicy.LONG_RUNNING, True, False),
        ("Failed", "ExperimentFailed", "True", ResumePolicy.LONG_RUNNING, True, False),
    ],
)
def test_only_the_count_of_trials_can_be_raised_again(
    old: Experiment,
    *,
    kind: str,
    reason: str,
    status: str,
    policy: ResumePolicy,
    over: bool,
    again: bool,
) -> None:
    experiment = ended(changed(old, resume_policy=policy), kind, reason, status)
    assert completed(experiment) is over
    assert restartable(experiment) is again
    refused = ["spec.resumePolicy Invalid"] if over and not again else []
    assert found(experiment, changed(experiment, max_trial_count=99)) == refused
