"""Conditions: how they are set, and the words that Katib's users know.

The last condition is the one that changed last, for `kubectl get` shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from api.types import Condition, ConditionStatus, ConditionType
from controller.reconcile.times import format_time

Conditions = tuple[Condition, ...]
ReasonAndMessage = tuple[str, str]
"""A condition's reason and its message."""


def with_condition(
    conditions: Conditions,
    kind: str,
    words: ReasonAndMessage,
    now: datetime,
    *,
    status: ConditionStatus = ConditionStatus.TRUE,
) -> Conditions:
    """Set a condition.

    | there is one of the type with | what becomes of it |
    |---|---|
    | equal status and reason | nothing, be the message what it may |
    | equal status | a new one at the end, which keeps the time of the transition |
    | another status, or none | a new one at the end |
    """
    reason, message = words
    before = find_condition(conditions, kind)
    moment = format_time(now)
    since: str | None = moment
    if before is not None and before.status is status:
        if before.reason == reason:
            return conditions
        since = before.last_transition_time
    new = Condition(
        type=str(kind),
        status=status,
        reason=reason,
        message=message,
        last_update_time=moment,
        last_transition_time=since,
    )
    return (*without_conditions(conditions, kind), new)


def without_conditions(conditions: Conditions, *kinds: str) -> Conditions:
    """Drop the conditions of some types."""
    return tuple(c for c in conditions if c.type not in kinds)


def find_condition(conditions: Sequence[Condition], kind: str) -> Condition | None:
    """Return the condition of a type."""
    return next((c for c in conditions if c.type == kind), None)


def no_longer_running(conditions: Conditions, words: ReasonAndMessage, now: datetime) -> Conditions:
    """Turn Running to False where it is there, with the words that it has when it is True."""
    running = find_condition(conditions, ConditionType.RUNNING)
    if running is None:
        return conditions
    if running.status is ConditionStatus.FALSE:
        reason, message = words
        plain = replace(running, reason=reason, message=message)
        return (*without_conditions(conditions, ConditionType.RUNNING), plain)
    return with_condition(
        conditions, ConditionType.RUNNING, words, now, status=ConditionStatus.FALSE
    )
