"""The transitions between the states of a trial.

A final condition stays: the functions that set Running or a final condition do not change a trial
that has ended. `record_observation` completes a trial that was stopped early.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from api.early_stopping import early_stop_condition
from api.types import (
    ConditionStatus,
    ConditionType,
    Observation,
    Trial,
    TrialStatus,
)
from controller.reconcile.conditions import (
    Conditions,
    find_condition,
    no_longer_running,
    with_condition,
    without_conditions,
)
from controller.reconcile.times import format_time
from controller.reconcile.trial_states import (
    COLLECTOR_CRASHED,
    CONTAINERS_RUNNING,
    PODS_PENDING,
    has_ended,
    waiting_since,
)

_STUCK = "Trial's pod does not run: "
_RUNNING = ("TrialRunning", "Trial is running")
# Reason and message of each final state; those of the job follow.
_ENDINGS = {
    ConditionType.SUCCEEDED: ("TrialSucceeded", "Trial has succeeded"),
    ConditionType.FAILED: ("TrialFailed", "Trial has failed"),
    ConditionType.METRICS_UNAVAILABLE: ("MetricsUnavailable", "Metrics are not available"),
    ConditionType.KILLED: ("TrialKilled", "Trial is killed"),
}


def mark_created(trial: Trial, now: datetime) -> Trial:
    """Set the condition Created and the start time."""
    moment = format_time(now)
    conditions = with_condition(
        trial.status.conditions, ConditionType.CREATED, ("TrialCreated", "Trial is created"), now
    )
    status = replace(
        trial.status, start_time=trial.status.start_time or moment, conditions=conditions
    )
    return replace(trial, status=status)


def mark_running(trial: Trial, now: datetime, trouble: str = "") -> Trial:
    """Set the condition Running: the job exists. `trouble` says why it may run in vain.

    A trial whose collector crashed keeps that condition: the collector may run only for a moment.
    """
    conditions = trial.status.conditions
    current = find_condition(conditions, ConditionType.RUNNING)
    if has_ended(trial):
        return trial
    if current and current.reason == COLLECTOR_CRASHED and current.status is ConditionStatus.TRUE:
        return trial
    reason_and_message = (COLLECTOR_CRASHED, f"{_RUNNING[1]}; {trouble}") if trouble else _RUNNING
    return _with(trial, with_condition(conditions, ConditionType.RUNNING, reason_and_message, now))


def mark_containers_running(trial: Trial, cause: str, now: datetime) -> Trial:
    """Set Running with the reason that only other containers of the pod still run."""
    if has_ended(trial):
        return trial
    conditions = trial.status.conditions
    text = (CONTAINERS_RUNNING, f"{_RUNNING[1]}; {cause}")
    return _with(trial, with_condition(conditions, ConditionType.RUNNING, text, now))


def mark_not_running(trial: Trial, reason: str, message: str, now: datetime) -> Trial:
    """Set Running to False with a reason: the trial waits for metrics, or gets no pod."""
    if has_ended(trial):
        return trial
    conditions = with_condition(
        trial.status.conditions,
        ConditionType.RUNNING,
        (reason, message),
        now,
        status=ConditionStatus.FALSE,
    )
    return _with(trial, conditions)


def mark_pending(trial: Trial, cause: str, now: datetime) -> Trial:
    """Set Running to False because nothing runs in the pod; `cause` is `REASON: details`.

    If only the details have changed, the trial stays as it is.
    """
    condition = find_condition(trial.status.conditions, ConditionType.RUNNING)
    if condition is not None and condition.reason == PODS_PENDING:
        if condition.message.startswith(_STUCK + cause.partition(": ")[0]):
            return trial
        trial = _with(trial, without_conditions(trial.status.conditions, ConditionType.RUNNING))
    return mark_not_running(trial, PODS_PENDING, _STUCK + cause, now)


def end_trial(  # noqa: PLR0913 - the parts of one condition
    trial: Trial,
    kind: ConditionType,
    now: datetime,
    *,
    cause: str = "",
    job_reason: str = "",
    job_message: str = "",
    observation: Observation | None = None,
) -> Trial:
    """Set the final condition of a trial; one that has ended stays as it is.

    The message is Katib's, then the cause, then the job's own message.
    """
    if has_ended(trial):
        return trial
    reason, message = _ENDINGS[kind]
    if cause:
        message += f": {cause}"
    if job_reason:
        reason += f". Job reason: {job_reason}"
    if job_message:
        message += f". Job message: {job_message}"
    status = trial.status
    conditions = no_longer_running(status.conditions, _RUNNING, now)
    conditions = with_condition(conditions, kind, (reason, message), now)
    return replace(
        trial,
        status=replace(
            status,
            conditions=conditions,
            completion_time=format_time(now),
            observation=observation or status.observation,
        ),
    )


def mark_early_stopped(trial: Trial, now: datetime, why: str = "") -> Trial:
    """Mark a trial as stopped early, as `SetTrialStatus` requests; an ended one stays as it is.

    There is no completion time yet: the training still has to end. `why` is what a rule says, if
    the controller must end it: not if the training has ended, and only its metrics are awaited.
    """
    if why and waiting_since(trial) is not None:
        return trial
    conditions = trial.status.conditions
    true = {known.type for known in conditions if known.status is ConditionStatus.TRUE}
    stopped = early_stop_condition(true, format_time(now), why)
    if stopped is None:
        return trial
    return _with(trial, (*without_conditions(conditions, ConditionType.EARLY_STOPPED), stopped))


def record_observation(trial: Trial, observation: Observation, now: datetime) -> Trial:
    """Give an early-stopped trial its observation and its completion time."""
    conditions = trial.status.conditions
    running, stopped = (
        find_condition(conditions, kind)
        for kind in (ConditionType.RUNNING, ConditionType.EARLY_STOPPED)
    )
    if running and stopped and running.status is ConditionStatus.FALSE:
        # It had already ended when it was stopped, so it no longer waits.
        restored = no_longer_running(conditions, _RUNNING, now)
        conditions = (*without_conditions(restored, ConditionType.EARLY_STOPPED), stopped)
    status = replace(
        trial.status,
        conditions=conditions,
        observation=observation,
        completion_time=format_time(now),
    )
    return replace(trial, status=status)


def _with(trial: Trial, conditions: Conditions) -> Trial:
    if conditions is trial.status.conditions:
        return trial
    status: TrialStatus = replace(trial.status, conditions=conditions)
    return replace(trial, status=status)
