"""How conditions are set. Reasons and messages are those that Katib's users know.

The last condition of the list is the one that changed last: `kubectl get` shows it.
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
    reason_and_message: ReasonAndMessage,
    now: datetime,
    *,
    status: ConditionStatus = ConditionStatus.TRUE,
) -> Conditions:
    """Set a condition.

    | the list has a condition of this type with | result |
    |---|---|
    | equal status and reason | unchanged, whatever the message |
    | equal status, another reason | a new one at the end, with the old transition time |
    | another status, or none of this type | a new one at the end |
    """
    reason, message = reason_and_message
    current = find_condition(conditions, kind)
    moment = format_time(now)
    since: str | None = moment
    if current is not None and current.status is status:
        if current.reason == reason:
            return conditions
        since = current.last_transition_time
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
    return tuple(known for known in conditions if known.type not in kinds)


def find_condition(conditions: Sequence[Condition], kind: str) -> Condition | None:
    """Return the condition of a type; None if there is none."""
    return next((known for known in conditions if known.type == kind), None)


def no_longer_running(
    conditions: Conditions, reason_and_message: ReasonAndMessage, now: datetime
) -> Conditions:
    """Set Running to False if it exists; reason and message are those of Running, True."""
    running = find_condition(conditions, ConditionType.RUNNING)
    if running is None:
        return conditions
    if running.status is ConditionStatus.FALSE:
        reason, message = reason_and_message
        restored = replace(running, reason=reason, message=message)
        return (*without_conditions(conditions, ConditionType.RUNNING), restored)
    return with_condition(
        conditions, ConditionType.RUNNING, reason_and_message, now, status=ConditionStatus.FALSE
    )
