"""The states of a trial. `trial_transitions` has the transitions between them.

    Pending ──> Running ──> Waiting ──> Succeeded | MetricsUnavailable
       │           │           │
       └───────────┴───────────┴─────> Failed | EarlyStopped | Killed

Waiting means: Running is False, the job has succeeded, and its metrics are still missing. Final
states stay: `end_trial` does not change a trial that has ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from api.early_stopping import BY_RULE
from api.types import (
    ConditionStatus,
    ConditionType,
    Trial,
    holds,
)
from controller.reconcile.conditions import (
    Conditions,
    find_condition,
)
from controller.reconcile.times import parse_time

METRICS_AWAITED = "TrialMetricsAwaited"
PODS_REFUSED = "TrialPodsRefused"
PODS_PENDING = "TrialPodsPending"
QUOTA_AWAITED = "TrialQuotaAwaited"
SUSPENDED = "TrialSuspended"
CONTAINERS_RUNNING = "TrialContainersRunning"
COLLECTOR_CRASHED = "TrialCollectorCrashed"
_SKEW, _LONG = timedelta(minutes=1), timedelta(days=1)
"""How far clocks may differ, and a time longer than any wait."""


class TrialState(StrEnum):
    """The state in which an experiment counts a trial; each trial is in exactly one."""

    KILLED = "Killed"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    EARLY_STOPPED = "EarlyStopped"
    RUNNING = "Running"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    PENDING = "Pending"


# The first condition that holds decides the state.
_IN_ORDER = (
    (ConditionType.KILLED, TrialState.KILLED),
    (ConditionType.FAILED, TrialState.FAILED),
    (ConditionType.SUCCEEDED, TrialState.SUCCEEDED),
    (ConditionType.EARLY_STOPPED, TrialState.EARLY_STOPPED),
    (ConditionType.RUNNING, TrialState.RUNNING),
    (ConditionType.METRICS_UNAVAILABLE, TrialState.METRICS_UNAVAILABLE),
)

ACTIVE_STATES = frozenset({TrialState.PENDING, TrialState.RUNNING})


def state_of(trial: Trial) -> TrialState:
    """Return a trial's state. A trial that waits for its metrics still counts as running."""
    conditions = trial.status.conditions
    for kind, state in _IN_ORDER:
        if holds(conditions, kind):
            return _as_it_ended(conditions) if state is TrialState.EARLY_STOPPED else state
    return TrialState.RUNNING if waiting_since(trial) is not None else TrialState.PENDING


def _as_it_ended(conditions: Conditions) -> TrialState:
    """Return the state of a trial that was stopped early, perhaps after it had ended.

    Katib's service writes EarlyStopped to any trial, so the earlier of the two conditions counts.
    """
    late = (ConditionType.METRICS_UNAVAILABLE, ConditionType.EARLY_STOPPED)
    first = next(
        known.type for known in conditions if known.type in late and holds((known,), known.type)
    )
    unavailable = first == ConditionType.METRICS_UNAVAILABLE
    return TrialState.METRICS_UNAVAILABLE if unavailable else TrialState.EARLY_STOPPED


def has_ended(trial: Trial) -> bool:
    """Return whether the trial is in a final state."""
    return state_of(trial) not in ACTIVE_STATES


def stopped_by_rule(trial: Trial) -> str:
    """Return the sentence that says which rule of the controller stopped a trial; "" if none did.

    Its job must be deleted: no collector ends the training.
    """
    condition = find_condition(trial.status.conditions, ConditionType.EARLY_STOPPED)
    return condition.message if condition and condition.reason == BY_RULE else ""


def is_measured(trial: Trial) -> bool:
    """Return whether the trial's observation is final and counts.

    The values of a running trial do not count, nor those of one that failed later, nor those of one
    that was stopped early and has not completed.
    """
    state = state_of(trial)
    stopped = state is TrialState.EARLY_STOPPED and trial.status.completion_time is not None
    return state is TrialState.SUCCEEDED or stopped


def experiment_digest(trial: Trial) -> object:
    """Return what an experiment depends on in a trial: an equal digest means no change."""
    meta, status = trial.metadata, trial.status
    return (
        meta.uid,
        meta.deletion_timestamp,
        tuple(sorted(meta.labels.items())),
        state_of(trial),
        waiting_since(trial),
        status.start_time,
        status.completion_time,
        status.observation if is_measured(trial) else None,
    )


def waiting_since(trial: Trial, reason: str = METRICS_AWAITED) -> datetime | None:
    """Return since when the trial has waited for this reason; None if it does not."""
    condition = find_condition(trial.status.conditions, ConditionType.RUNNING)
    if condition is None or condition.status is not ConditionStatus.FALSE:
        return None
    return parse_time(condition.last_update_time) if condition.reason == reason else None


def time_in_condition(trial: Trial, kind: ConditionType, now: datetime) -> timedelta:
    """Return for how long a condition has had its status.

    If its time is not readable or lies in the future (Katib's service writes local time as UTC),
    the result is one day, so that a wait based on it ends.
    """
    condition = find_condition(trial.status.conditions, kind)
    moment = parse_time(condition.last_transition_time) if condition else None
    if moment is None or moment > now + _SKEW:
        return _LONG
    return max(now - moment, timedelta(0))
