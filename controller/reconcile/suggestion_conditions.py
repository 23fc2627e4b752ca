"""The conditions of a Suggestion: of its search, and of the service that is deployed for it.

Each `mark_...` returns the Suggestion with its new conditions and times. Types and reasons are
Katib's, except `Exhausted` and `Stalled`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from api.types import (
    Condition,
    ConditionStatus,
    ConditionType,
    ResumePolicy,
    Suggestion,
    holds,
)
from controller.reconcile.conditions import (
    Conditions,
    ReasonAndMessage,
    find_condition,
    with_condition,
    without_conditions,
)
from controller.reconcile.times import format_time

EXHAUSTED = "Exhausted"
"""The condition of a search that has no more points. Katib has no such condition."""
STALLED = "Stalled"
"""The condition of a search that did not answer. Only trialwatch has it; kstatus has its name."""
_GONE = ("Suggestion is succeeded", "Suggestion is failed")
"""Reasons of DeploymentReady, False, after the deployed service was removed."""
_RESTARTING = "Experiment is restarting"
_NOT_RUNNING = "Suggestion is not running"


def conditions_after_reply(
    suggestion: Suggestion, now: datetime, *, final: bool, note: str = ""
) -> Conditions:
    """Return the conditions after a reply of the search.

    Args:
        suggestion: to which the search has replied.
        now: the time.
        final: whether it has no more points.
        note: what it says of itself.
    """
    conditions = _with_created(suggestion, now)
    message = f"Suggestion is running: {note}" if note else "Suggestion is running"
    running = ("SuggestionRunning", message)
    conditions = without_conditions(conditions, ConditionType.SUCCEEDED, STALLED)
    conditions = with_condition(conditions, ConditionType.RUNNING, running, now)
    conditions = _with_message(conditions, ConditionType.RUNNING, message, now)
    if final:
        reason_and_message = ("SuggestionEndReached", "The search has no more points")
        conditions = with_condition(conditions, EXHAUSTED, reason_and_message, now)
    return conditions


def mark_failed(suggestion: Suggestion, cause: str, now: datetime) -> Suggestion:
    """Record that the search refuses the experiment."""
    conditions = without_conditions(_with_created(suggestion, now), STALLED)
    conditions = _not_running(conditions, "SuggestionFailed", now)
    message = f"Validation failed: {cause}"
    conditions = with_condition(
        conditions, ConditionType.FAILED, ("SuggestionFailed", message), now
    )
    return _with(suggestion, conditions, now)


def mark_finished(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that the experiment has ended. A Suggestion that has failed stays as it is."""
    conditions = suggestion.status.conditions
    if holds(conditions, ConditionType.SUCCEEDED) or holds(conditions, ConditionType.FAILED):
        return suggestion
    message = "Suggestion is succeeded, can't be restarted"
    if suggestion.spec.resume_policy is ResumePolicy.FROM_VOLUME:
        message = "Suggestion is succeeded, suggestion volume is not deleted, can be restarted"
    conditions = without_conditions(_with_created(suggestion, now), STALLED)
    conditions = _not_running(conditions, "Suggestion is succeeded", now)
    conditions = with_condition(
        conditions, ConditionType.SUCCEEDED, ("Experiment is succeeded", message), now
    )
    return _with(suggestion, conditions, now)


def mark_restarting(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that the experiment continues. A Suggestion that has not succeeded stays as it is."""
    if not holds(suggestion.status.conditions, ConditionType.SUCCEEDED):
        return suggestion
    conditions = without_conditions(suggestion.status.conditions, ConditionType.SUCCEEDED)
    # Removed first: the reason must become that of the restart, even if Running is False already.
    conditions = without_conditions(conditions, ConditionType.RUNNING)
    conditions = with_condition(
        conditions,
        ConditionType.RUNNING,
        (_RESTARTING, _NOT_RUNNING),
        now,
        status=ConditionStatus.FALSE,
    )
    status = replace(suggestion.status, conditions=conditions, completion_time=None)
    return replace(suggestion, status=status)


def mark_stalled(suggestion: Suggestion, cause: str, now: datetime) -> Suggestion:
    """Record that the search did not answer and will be called again."""
    message = f"The search did not answer and will be called again: {cause}"
    reason_and_message = ("SearchNotAnswering", message)
    conditions = with_condition(_with_created(suggestion, now), STALLED, reason_and_message, now)
    conditions = _with_message(conditions, STALLED, message, now)
    return _with_conditions(suggestion, conditions, now)


def mark_deploying(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that a service is deployed and does not serve yet, or does not serve any more."""
    reason_and_message = ("DeploymentNotReady", "Deployment is not ready")
    return _with_deployment(suggestion, reason_and_message, ConditionStatus.FALSE, now)


def mark_deployment_ready(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that the service serves."""
    reason_and_message = ("DeploymentReady", "Deployment is ready")
    return _with_deployment(suggestion, reason_and_message, ConditionStatus.TRUE, now)


def mark_removed(suggestion: Suggestion, now: datetime) -> Suggestion:
    """Record that the service is removed. The condition of the end stays the last one."""
    succeeded, failure = _GONE
    reason = failure if failure_of(suggestion) else succeeded
    reason_and_message = (reason, "Deployment is not ready")
    removed = _with_deployment(suggestion, reason_and_message, ConditionStatus.FALSE, now)
    conditions = removed.status.conditions
    ends = (ConditionType.SUCCEEDED, ConditionType.FAILED)
    last = tuple(known for known in conditions if known.type in ends)
    return _with_conditions(removed, (*without_conditions(conditions, *ends), *last), now)


def is_deployed(suggestion: Suggestion) -> bool:
    """Return whether a service may exist, so that it must be removed in the end."""
    ready = find_condition(suggestion.status.conditions, ConditionType.DEPLOYMENT_READY)
    return ready is not None and ready.reason not in _GONE


def failure_of(suggestion: Suggestion) -> Condition | None:
    """Return why the search has failed; None if it has not."""
    failure = find_condition(suggestion.status.conditions, ConditionType.FAILED)
    return failure if failure and failure.status is ConditionStatus.TRUE else None


def is_exhausted(suggestion: Suggestion) -> bool:
    """Return whether the search has no more points, now and later."""
    return holds(suggestion.status.conditions, EXHAUSTED)


def _with_deployment(
    suggestion: Suggestion,
    reason_and_message: ReasonAndMessage,
    status: ConditionStatus,
    now: datetime,
) -> Suggestion:
    kind = ConditionType.DEPLOYMENT_READY
    conditions = with_condition(
        _with_created(suggestion, now), kind, reason_and_message, now, status=status
    )
    return _with_conditions(suggestion, conditions, now)


def _with_conditions(suggestion: Suggestion, conditions: Conditions, now: datetime) -> Suggestion:
    status = suggestion.status
    start = status.start_time or format_time(now)
    return replace(suggestion, status=replace(status, conditions=conditions, start_time=start))


def _with_message(conditions: Conditions, kind: str, message: str, now: datetime) -> Conditions:
    """Show the newest message: the cause of a stall, or what `auto` chose, may have changed."""
    return tuple(
        replace(condition, message=message, last_update_time=format_time(now))
        if condition.type == kind and condition.message != message
        else condition
        for condition in conditions
    )


def _with_created(suggestion: Suggestion, now: datetime) -> Conditions:
    reason_and_message = ("SuggestionCreated", "Suggestion is created")
    return with_condition(
        suggestion.status.conditions, ConditionType.CREATED, reason_and_message, now
    )


def _not_running(conditions: Conditions, reason: str, now: datetime) -> Conditions:
    if find_condition(conditions, ConditionType.RUNNING) is None:
        return conditions
    return with_condition(
        conditions,
        ConditionType.RUNNING,
        (reason, _NOT_RUNNING),
        now,
        status=ConditionStatus.FALSE,
    )


def _with(suggestion: Suggestion, conditions: Conditions, now: datetime) -> Suggestion:
    start = suggestion.status.start_time or format_time(now)
    status = replace(
        suggestion.status, conditions=conditions, start_time=start, completion_time=format_time(now)
    )
    return replace(suggestion, status=status)
