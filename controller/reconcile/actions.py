"""The actions that the core returns. Each is safe to repeat and safe to lose: it is returned again.

The driver carries out a list of actions in order. If one fails, it skips the rest and reconciles
the object again later, because a later action may depend on an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.types import Experiment, JsonObject, Suggestion, Trial
from controller.reconcile.event_reasons import EventReason


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteStatus:
    """Store the object's status, if the object has not changed since the view was made."""

    target: Experiment | Suggestion | Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSuggestion:
    """Create an experiment's Suggestion, which stores requests to the search and its replies."""

    suggestion: Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSuggestions:
    """Ask the search for `count` more trials and store the reply (`suggestions.with_reply`).

    `experiment` has the settings that the search returned earlier. `trials` is the history, in the
    order in which the trials were requested. `asked` is how many were requested before.
    """

    experiment: Experiment
    suggestion: Suggestion
    trials: tuple[Trial, ...]
    asked: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveService:
    """Delete the service that was deployed for the search. No effect if it does not exist."""

    suggestion: Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTrial:
    """Create a trial. No effect if a trial of this name exists."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTrial:
    """Start to delete a trial. Its finalizer keeps it until job and metrics are deleted."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Remove our finalizer from an object that is being deleted, so that it can go."""

    target: Experiment | Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob:
    """Create a trial's job. No effect if it exists."""

    trial: Trial
    document: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteJob:
    """Start to delete a trial's job and its pods. No effect if it does not exist."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadObservation:
    """Read a summary of the trial's metrics from the store. The next view has the result."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLatest:
    """Read the current values of a running trial from the store. The next view has the result."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUnavailable:
    """Store `unavailable` as the objective's value: the training pushed no metrics."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteObservations:
    """Delete the trial's metrics from the store. The next view says if it is unavailable."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteObservationsLater:
    """Delete the metrics of a trial that does not wait for it, when the store answers again."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitEvent:
    """Post a Kubernetes Event about the object: at most once, without waiting for the result."""

    about: Experiment | Suggestion | Trial
    reason: EventReason
    message: str
    """The cause, and what to do if the type of the reason is Warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """Reconcile the object again at this time, even if nothing has changed."""

    moment: datetime


Action = (
    WriteStatus
    | CreateSuggestion
    | AskSuggestions
    | RemoveService
    | CreateTrial
    | DeleteTrial
    | Release
    | CreateJob
    | DeleteJob
    | ReadObservation
    | ReadLatest
    | ReportUnavailable
    | DeleteObservations
    | DeleteObservationsLater
    | EmitEvent
    | WakeAt
)
