"""The states of a trial, and the moves between them.

    Pending ──> Running ──> Waiting ──> Succeeded | MetricsUnavailable
       │           │           │
       └───────────┴───────────┴─────> Failed | EarlyStopped | Killed

`Waiting` is Running turned False while the job has succeeded and its metrics are still to come.
Ended states stay: `moved` leaves a trial in one of them as it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from api.types import (
    ConditionStatus,
    ConditionType,
    Observation,
    Trial,
    TrialStatus,
    holds,
)
from controller.reconcile.conditions import (
    Conditions,
    find_condition,
    no_longer_running,
    with_condition,
    without_conditions,
)
from controller.reconcile.times import format_time, parse_time

METRICS_AWAITED = "TrialMetricsAwaited"
PODS_REFUSED = "TrialPodsRefused"
PODS_PENDING = "TrialPodsPending"
COLLECTOR_CRASHED = "TrialCollectorCrashed"
_STUCK = "Trial's pod does not run: "
_RUNNING = ("TrialRunning", "Trial is running")
_SKEW, _LONG = timedelta(minutes=1), timedelta(days=1)
"""What clocks may differ by, and more than anything is waited for."""


class TrialState(StrEnum):
    """What a trial is counted as. Each is in exactly one."""

    KILLED = "Killed"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    EARLY_STOPPED = "EarlyStopped"
    RUNNING = "Running"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    PENDING = "Pending"


# The first of these that holds is the state.
_IN_ORDER = (
    (ConditionType.KILLED, TrialState.KILLED),
    (ConditionType.FAILED, TrialState.FAILED),
    (ConditionType.SUCCEEDED, TrialState.SUCCEEDED),
    (ConditionType.EARLY_STOPPED, TrialState.EARLY_STOPPED),
    (ConditionType.RUNNING, TrialState.RUNNING),
    (ConditionType.METRICS_UNAVAILABLE, TrialState.METRICS_UNAVAILABLE),
)

ACTIVE_STATES = frozenset({TrialState.PENDING, TrialState.RUNNING})

# How each ended state is said; what the job said comes behind, where it said anything.
_ENDINGS = {
    ConditionType.SUCCEEDED: ("TrialSucceeded", "Trial has succeeded"),
    ConditionType.FAILED: ("TrialFailed", "Trial has failed"),
    ConditionType.METRICS_UNAVAILABLE: ("MetricsUnavailable", "Metrics are not available"),
    ConditionType.KILLED: ("TrialKilled", "Trial is killed"),
    ConditionType.EARLY_STOPPED: ("TrialEarlyStopped", "Trial is early stopped"),
}


def state_of(trial: Trial) -> TrialState:
    """Say what a trial is counted as. One that waits for its metrics still runs."""
    conditions = trial.status.conditions
    for kind, state in _IN_ORDER:
        if holds(conditions, kind):
            return _as_it_ended(conditions) if state is TrialState.EARLY_STOPPED else state
    return TrialState.RUNNING if waiting_since(trial) is not None else TrialState.PENDING


def _as_it_ended(conditions: Conditions) -> TrialState:
    """Say what a trial counts as that was stopped early, perhaps after it had ended.

    Katib's service writes EarlyStopped whatever the trial is; the later of two ends is none.
    """
    late = (ConditionType.METRICS_UNAVAILABLE, ConditionType.EARLY_STOPPED)
    first = next(c.type for c in conditions if c.type in late and holds((c,), c.type))
    unavailable = first == ConditionType.METRICS_UNAVAILABLE
    return TrialState.METRICS_UNAVAILABLE if unavailable else TrialState.EARLY_STOPPED


def has_ended(trial: Trial) -> bool:
    """Say whether nothing can become of the trial any more."""
    return state_of(trial) not in ACTIVE_STATES


def is_measured(trial: Trial) -> bool:
    """Say whether the observation is the trial's last, and counts.

    What a trial shows while it runs, or showed before it failed, is no answer; nor what one that
    was stopped early showed before its end.
    """
    state = state_of(trial)
    stopped = state is TrialState.EARLY_STOPPED and trial.status.completion_time is not None
    return state is TrialState.SUCCEEDED or stopped


def experiment_digest(trial: Trial) -> object:
    """Return what an experiment has to know of a trial; as long as it is equal, nothing is new."""
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


def mark_created(trial: Trial, now: datetime) -> Trial:
    """Begin a trial's life."""
    moment = format_time(now)
    conditions = with_condition(
        trial.status.conditions, ConditionType.CREATED, ("TrialCreated", "Trial is created"), now
    )
    status = replace(
        trial.status, start_time=trial.status.start_time or moment, conditions=conditions
    )
    return replace(trial, status=status)


def mark_running(trial: Trial, now: datetime, trouble: str = "") -> Trial:
    """Say that the job is there; and, with `trouble`, that it may be there in vain.

    Who has had such trouble keeps it: the collector may be up for the moment only.
    """
    conditions = trial.status.conditions
    told = find_condition(conditions, ConditionType.RUNNING)
    if has_ended(trial):
        return trial
    if told and told.reason == COLLECTOR_CRASHED and told.status is ConditionStatus.TRUE:
        return trial
    words = (COLLECTOR_CRASHED, f"{_RUNNING[1]}; {trouble}") if trouble else _RUNNING
    return _with(trial, with_condition(conditions, ConditionType.RUNNING, words, now))


def mark_not_running(trial: Trial, reason: str, message: str, now: datetime) -> Trial:
    """Say why it does not train: it waits for its metrics, or gets no pod."""
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


def mark_pending(trial: Trial, why: str, now: datetime) -> Trial:
    """Say why its pod does not run: `REASON: details`. Other details alone are no news."""
    condition = find_condition(trial.status.conditions, ConditionType.RUNNING)
    if condition is not None and condition.reason == PODS_PENDING:
        if condition.message.startswith(_STUCK + why.partition(": ")[0]):
            return trial
        trial = _with(trial, without_conditions(trial.status.conditions, ConditionType.RUNNING))
    return mark_not_running(trial, PODS_PENDING, _STUCK + why, now)


def waiting_since(trial: Trial, reason: str = METRICS_AWAITED) -> datetime | None:
    """Return since when the trial waits for this reason; None where it does not."""
    condition = find_condition(trial.status.conditions, ConditionType.RUNNING)
    if condition is None or condition.status is not ConditionStatus.FALSE:
        return None
    return parse_time(condition.last_update_time) if condition.reason == reason else None


def end_trial(  # noqa: PLR0913 - the words of one condition
    trial: Trial,
    kind: ConditionType,
    now: datetime,
    *,
    cause: str = "",
    job_reason: str = "",
    job_message: str = "",
    observation: Observation | None = None,
) -> Trial:
    """End a trial; one that has ended stays as it is.

    The condition's message is Katib's, then the cause in words, then what the job said.
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


def mark_early_stopped(trial: Trial, now: datetime) -> Trial:
    """Mark a trial as stopped early, as `SetTrialStatus` asks; one that has ended stays as it is.

    Running stays True and there is no completion time yet, for the trainer is only about to end.
    """
    if has_ended(trial):
        return trial
    return _with(
        trial,
        with_condition(
            trial.status.conditions,
            ConditionType.EARLY_STOPPED,
            _ENDINGS[ConditionType.EARLY_STOPPED],
            now,
        ),
    )


def record_observation(trial: Trial, observation: Observation, now: datetime) -> Trial:
    """Give an early-stopped trial what was observed of it; that is its completion."""
    conditions = trial.status.conditions
    before, stopped = (
        find_condition(conditions, kind)
        for kind in (ConditionType.RUNNING, ConditionType.EARLY_STOPPED)
    )
    if before and stopped and before.status is ConditionStatus.FALSE:
        # It was stopped when it had ended already: it waits for nothing any more.
        plain = no_longer_running(conditions, _RUNNING, now)
        conditions = (*without_conditions(plain, ConditionType.EARLY_STOPPED), stopped)
    status = replace(
        trial.status,
        conditions=conditions,
        observation=observation,
        completion_time=format_time(now),
    )
    return replace(trial, status=status)


def time_in_condition(trial: Trial, kind: ConditionType, now: datetime) -> timedelta:
    """Return for how long a condition has been what it is.

    Where that cannot be, for the time is unreadable or still to come (Katib's service writes the
    local time as if it were UTC), it is taken for long: who waits by it must not wait for ever.
    """
    condition = find_condition(trial.status.conditions, kind)
    moment = parse_time(condition.last_transition_time) if condition else None
    if moment is None or moment > now + _SKEW:
        return _LONG
    return max(now - moment, timedelta(0))


def _with(trial: Trial, conditions: Conditions) -> Trial:
    if conditions is trial.status.conditions:
        return trial
    status: TrialStatus = replace(trial.status, conditions=conditions)
    return replace(trial, status=status)
