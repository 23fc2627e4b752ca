"""The states of an experiment, the moves between them, and when each is due.

Created ──> Running ──> Succeeded (goal, count, end of the search) | Failed
               ↑            │
               └ Restarting ┘   by a larger maxTrialCount, where the resume policy lets it
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from api.objects.validation_update import MAX_TRIALS_REACHED, restartable
from api.types import (
    ConditionType,
    Experiment,
    ExperimentStatus,
    Suggestion,
)
from controller.reconcile.conditions import no_longer_running, with_condition, without_conditions
from controller.reconcile.suggestions import failure_of, is_exhausted
from controller.reconcile.times import format_time

_RUNNING = ("ExperimentRunning", "Experiment is running")
_SUCCESS = "Experiment has succeeded because"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How an experiment ends."""

    kind: ConditionType
    reason: str
    message: str


GOAL = Completion(
    kind=ConditionType.SUCCEEDED,
    reason="ExperimentGoalReached",
    message=f"{_SUCCESS} Objective goal has reached",
)
MAX_TRIALS = Completion(
    kind=ConditionType.SUCCEEDED,
    reason=MAX_TRIALS_REACHED,
    message=f"{_SUCCESS} max trial count has reached",
)
END_OF_SEARCH = Completion(
    kind=ConditionType.SUCCEEDED,
    reason="ExperimentSuggestionEndReached",
    message=f"{_SUCCESS} suggestion service has reached the end",
)
MAX_FAILED = Completion(
    kind=ConditionType.FAILED,
    reason="ExperimentFailed",
    message="Experiment has failed because max failed count has reached",
)


def failed_because(why: str) -> Completion:
    """Make the ending of an experiment that cannot go on."""
    return Completion(kind=ConditionType.FAILED, reason=MAX_FAILED.reason, message=why)


def completion_of(
    experiment: Experiment, status: ExperimentStatus, suggestion: Suggestion | None, *, goal: bool
) -> Completion | None:
    """Decide whether the experiment has ended; the first row that holds.

    | row | holds where |
    |---|---|
    | goal | the best trial is as good as was asked for |
    | failed | as many failed, or have no metrics, as `maxFailedTrialCount`; at least one |
    | count | as many have ended, in whatever way, as `maxTrialCount` |
    | no search | the search cannot be done |
    | end | the search has no more points, and no trial is active or still to be made |
    """
    spec, active = experiment.spec, status.trials_pending + status.trials_running
    bad = status.trials_failed + status.trials_metrics_unavailable
    most, most_bad = spec.max_trial_count, spec.max_failed_trial_count
    refusal = failure_of(suggestion) if suggestion else None
    rows = (
        (goal, GOAL),
        (most_bad is not None and bad >= max(most_bad, 1), MAX_FAILED),
        (most is not None and status.trials - active >= most, MAX_TRIALS),
        (
            refusal is not None,
            failed_because(f"Suggestion has failed: {refusal and refusal.message}"),
        ),
        (suggestion is not None and not active and _at_its_end(suggestion), END_OF_SEARCH),
    )
    return next((ending for holds, ending in rows if holds), None)


def _at_its_end(suggestion: Suggestion) -> bool:
    return is_exhausted(suggestion) and not suggestion.status.suggestions


def mark_created(experiment: Experiment, now: datetime) -> Experiment:
    """Begin an experiment's life."""
    status = experiment.status
    words = ("ExperimentCreated", "Experiment is created")
    conditions = with_condition(status.conditions, ConditionType.CREATED, words, now)
    start = status.start_time or format_time(now)
    return replace(experiment, status=replace(status, start_time=start, conditions=conditions))


def mark_running(status: ExperimentStatus, now: datetime) -> ExperimentStatus:
    """Say that trials are being made."""
    conditions = with_condition(status.conditions, ConditionType.RUNNING, _RUNNING, now)
    return replace(status, conditions=conditions)


def mark_completed(status: ExperimentStatus, ending: Completion, now: datetime) -> ExperimentStatus:
    """End the experiment."""
    conditions = no_longer_running(status.conditions, _RUNNING, now)
    conditions = with_condition(conditions, ending.kind, (ending.reason, ending.message), now)
    return replace(status, conditions=conditions, completion_time=format_time(now))


def can_restart(experiment: Experiment) -> bool:
    """Say whether a completed experiment is to go on: `maxTrialCount` was raised, or deleted."""
    most = experiment.spec.max_trial_count
    return restartable(experiment) and (most is None or most > experiment.status.trials)


def mark_restarted(experiment: Experiment, now: datetime) -> Experiment:
    """Let a completed experiment go on."""
    conditions = without_conditions(
        experiment.status.conditions, ConditionType.SUCCEEDED, ConditionType.FAILED
    )
    words = ("ExperimentRestarting", "Experiment is restarted")
    conditions = with_condition(conditions, ConditionType.RESTARTING, words, now)
    status = replace(experiment.status, conditions=conditions, completion_time=None)
    return replace(experiment, status=status)
