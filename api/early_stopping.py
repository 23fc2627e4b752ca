"""The condition EarlyStopped of a trial: the one rule for all that write it."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from api.types import Condition, ConditionStatus, ConditionType

_ENDS: Final = (
    ConditionType.EARLY_STOPPED,
    ConditionType.FAILED,
    ConditionType.KILLED,
    ConditionType.METRICS_UNAVAILABLE,
    ConditionType.SUCCEEDED,
)
"""A trial ends once; its first end stays."""


BY_RULE: Final = "TrialStoppedByRule"
"""The reason of the condition if the controller has judged the trial, and so must end its job."""


def early_stop_condition(
    true_conditions: Container[str], moment: str, why: str = ""
) -> Condition | None:
    """Return the condition that marks a trial as stopped early; None if the trial has ended.

    The condition goes to the end of the trial's list, in the place of another EarlyStopped. Running
    stays True beside it: the training still has to end.

    Args:
        true_conditions: the types of the trial's conditions with status True.
        moment: the time, RFC 3339.
        why: what the rule says, if the controller has judged the trial; "": its collector has
            stopped the training.
    """
    if any(end in true_conditions for end in _ENDS):
        return None
    return Condition(
        type=ConditionType.EARLY_STOPPED.value,
        status=ConditionStatus.TRUE,
        reason=BY_RULE if why else "TrialEarlyStopped",
        message=f"Trial is early stopped: {why}" if why else "Trial is early stopped",
        last_update_time=moment,
        last_transition_time=moment,
    )
