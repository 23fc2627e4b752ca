"""The reasons of the controller's Events: one for each fact. `docs/events.md` explains each.

A new Event begins with a member here and its row in the document; a test compares the two.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from api.objects.validation_update import MAX_TRIALS_REACHED
from controller.reconcile.trial_states import (
    COLLECTOR_CRASHED,
    CONTAINERS_RUNNING,
    PODS_PENDING,
    PODS_REFUSED,
    QUOTA_AWAITED,
    SUSPENDED,
)


class EventType(StrEnum):
    """The type of a Kubernetes Event."""

    NORMAL = "Normal"
    WARNING = "Warning"
    """A person should look at it."""


class EventReason(StrEnum):
    """Why an Event is posted; each reason has one type."""

    type: EventType

    def __new__(cls, word: str, kind: EventType = EventType.NORMAL) -> Self:
        """Make a member of its word and its type."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.type = kind
        return member

    # --- of an experiment ---
    GOAL_REACHED = "ExperimentGoalReached"
    MAX_TRIALS_REACHED = MAX_TRIALS_REACHED
    SEARCH_EXHAUSTED = "ExperimentSuggestionEndReached"
    EXPERIMENT_FAILED = "ExperimentFailed", EventType.WARNING
    EXPERIMENT_RESTARTING = "ExperimentRestarting"
    TEMPLATE_UNUSABLE = "TrialTemplateUnusable", EventType.WARNING

    # --- of a trial ---
    JOB_CREATED = "JobCreated"
    JOB_RUNNING = "JobRunning"
    JOB_SUCCEEDED = "JobSucceeded"
    JOB_FAILED = "JobFailed", EventType.WARNING
    JOB_NOT_STARTED = "JobNotStarted", EventType.WARNING
    JOB_DELETED = "JobDeleted"
    JOB_NOT_DELETED = "JobNotDeleted", EventType.WARNING
    JOB_NOT_WATCHED = "JobNotWatched", EventType.WARNING
    PODS_REFUSED = PODS_REFUSED, EventType.WARNING
    PODS_PENDING = PODS_PENDING, EventType.WARNING
    QUOTA_AWAITED = QUOTA_AWAITED
    SUSPENDED = SUSPENDED
    COLLECTOR_CRASHED = COLLECTOR_CRASHED, EventType.WARNING
    CONTAINERS_RUNNING = CONTAINERS_RUNNING, EventType.WARNING
    METRICS_UNAVAILABLE = "MetricsUnavailable", EventType.WARNING
    METRICS_NOT_DELETED = "MetricsNotDeleted", EventType.WARNING
    TRIAL_EARLY_STOPPED = "TrialEarlyStopped"
    TRIAL_KILLED = "TrialKilled"

    # --- of both ---
    RECONCILE_ERROR = "ReconcileError", EventType.WARNING
