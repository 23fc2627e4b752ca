"""What has become of an object, as a list of conditions; the last one is the newest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ConditionStatus(StrEnum):
    """Whether the condition is met."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionType(StrEnum):
    """Every condition that an Experiment (E), Suggestion (S) or Trial (T) may have."""

    CREATED = "Created"
    """E, S, T."""
    RUNNING = "Running"
    """E, S, T."""
    RESTARTING = "Restarting"
    """E: it was completed, and goes on with a larger `maxTrialCount`."""
    DEPLOYMENT_READY = "DeploymentReady"
    """S."""
    SUCCEEDED = "Succeeded"
    """E, S, T."""
    FAILED = "Failed"
    """E, S, T."""
    KILLED = "Killed"
    """T."""
    EARLY_STOPPED = "EarlyStopped"
    """T: a stop rule was met; Running stays True beside it."""
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    """T: the job succeeded, but no value of the objective was ever seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition. `type` is text, so that one written by a newer version is kept too."""

    type: str
    status: ConditionStatus
    reason: str = ""
    message: str = ""
    last_update_time: str | None = None
    last_transition_time: str | None = None


def holds(conditions: Iterable[Condition], kind: str) -> bool:
    """Say whether the condition of this type is there and True."""
    return any(c.type == kind and c.status is ConditionStatus.TRUE for c in conditions)
