"""The state of an object, as a list of conditions; the last one is the newest."""

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
    """The types of conditions of an Experiment (E), a Suggestion (S) and a Trial (T)."""

    CREATED = "Created"
    """E, S, T."""
    RUNNING = "Running"
    """E, S, T."""
    RESTARTING = "Restarting"
    """E: it was completed, and resumes with a larger `maxTrialCount`."""
    DEPLOYMENT_READY = "DeploymentReady"
    """S."""
    SUCCEEDED = "Succeeded"
    """E, S, T."""
    FAILED = "Failed"
    """E, S, T."""
    KILLED = "Killed"
    """T."""
    EARLY_STOPPED = "EarlyStopped"
    """T: a stop rule was met; Running stays True."""
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    """T: the job succeeded, but the objective has no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition. `type` is a text, so that types of newer versions are kept."""

    type: str
    status: ConditionStatus
    reason: str = ""
    message: str = ""
    last_update_time: str | None = None
    last_transition_time: str | None = None


def holds(conditions: Iterable[Condition], kind: str) -> bool:
    """Return whether a condition of this type exists and is True."""
    return any(c.type == kind and c.status is ConditionStatus.TRUE for c in conditions)
