"""The states of an experiment, the transitions between them, and when each transition is due.

Created ──> Running ──> Succeeded (goal, count, end of the search) | Failed
               ↑            │
               └ Restarting ┘   after maxTrialCount was raised, if the resume policy allows it
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
from controller.reconcile.suggestion_conditions import failure_of, is_exhausted
from controller.reconcile.times import format_time

_RUNNING = ("ExperimentRunning", "Experiment is running")
_SUCCESS = "Experiment has succeeded because"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The final condition of an experiment."""

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


def failed_because(cause: str) -> Completion:
    """Return the completion of an experiment that cannot continue."""
    return Completion(kind=ConditionType.FAILED, reason=MAX_FAILED.reason, message=cause)


def completion_of(
    experiment: Experiment, status: ExperimentStatus, suggestion: Suggestion | None, *, goal: bool
) -> Completion | None:
    """Return how the experiment has ended, None if it has not. The first row that holds counts.

    | row | holds if |
    |---|---|
    | goal | the best trial reaches the goal |
    | failed | at least `maxFailedTrialCount` trials, and at least one, failed or have no metrics |
    | count | at least `maxTrialCount` trials have ended, in any state |
    | no search | the search refuses the experiment |
    | end | the search has no more points, no trial is active, and no reply is left to create |
    """
    spec, active = experiment.spec, status.trials_pending + status.trials_running
    failed = status.trials_failed + status.trials_metrics_unavailable
    max_trials, max_failed = spec.max_trial_count, spec.max_failed_trial_count
    refusal = failure_of(suggestion) if suggestion else None
    rows = (
        (goal, GOAL),
        (max_failed is not None and failed >= max(max_failed, 1), MAX_FAILED),
        (max_trials is not None and status.trials - active >= max_trials, MAX_TRIALS),
        (
            refusal is not None,
            failed_because(f"Suggestion has failed: {refusal and refusal.message}"),
        ),
        (suggestion is not None and not active and _has_no_more(suggestion), END_OF_SEARCH),
    )
    return next((completion for holds, completion in rows if holds), None)


def _has_no_more(suggestion: Suggestion) -> bool:
    return is_exhausted(suggestion) and not suggestion.status.suggestions


def mark_created(experiment: Experiment, now: datetime) -> Experiment:
    """Set the condition Created and the start time."""
    status = experiment.status
    reason_and_message = ("ExperimentCreated", "Experiment is created")
    conditions = with_condition(status.conditions, ConditionType.CREATED, reason_and_message, now)
    start = status.start_time or format_time(now)
    return replace(experiment, status=replace(status, start_time=start, conditions=conditions))


def mark_running(status: ExperimentStatus, now: datetime) -> ExperimentStatus:
    """Set the condition Running: the experiment has a trial."""
    conditions = with_condition(status.conditions, ConditionType.RUNNING, _RUNNING, now)
    return replace(status, conditions=conditions)


def mark_completed(
    status: ExperimentStatus, completion: Completion, now: datetime
) -> ExperimentStatus:
    """Set the final condition and the completion time."""
    conditions = no_longer_running(status.conditions, _RUNNING, now)
    conditions = with_condition(
        conditions, completion.kind, (completion.reason, completion.message), now
    )
    return replace(status, conditions=conditions, completion_time=format_time(now))


def can_restart(experiment: Experiment) -> bool:
    """Return whether a completed experiment continues: `maxTrialCount` was raised or removed."""
    max_trials = experiment.spec.max_trial_count
    return restartable(experiment) and (max_trials is None or max_trials > experiment.status.trials)


def mark_restarted(experiment: Experiment, now: datetime) -> Experiment:
    """Let a completed experiment continue."""
    conditions = without_conditions(
        experiment.status.conditions, ConditionType.SUCCEEDED, ConditionType.FAILED
    )
    reason_and_message = ("ExperimentRestarting", "Experiment is restarted")
    conditions = with_condition(conditions, ConditionType.RESTARTING, reason_and_message, now)
    status = replace(experiment.status, conditions=conditions, completion_time=None)
    return replace(experiment, status=status)
