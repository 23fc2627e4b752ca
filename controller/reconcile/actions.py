"""What the core wants done. Each action may be done twice, and may be lost: it is asked for again.

The actions of one list are done in their order. Where one fails, the rest is left, and the object
is looked at again later: what follows may rest on what came before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from api.types import Experiment, JsonObject, Suggestion, Trial


class EventType(StrEnum):
    """How grave an event is."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteStatus:
    """Store the object's status, if the object is still as it was in the view."""

    target: Experiment | Suggestion | Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSuggestion:
    """Create the object in which the conversation with the search is kept."""

    suggestion: Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSuggestions:
    """Ask the search for `count` more trials and keep the answer (`suggestions.answered`).

    `experiment` has the settings that the search wanted to be reminded of; `trials` is the
    history in the order of asking, `asked` how many were asked for before.
    """

    experiment: Experiment
    suggestion: Suggestion
    trials: tuple[Trial, ...]
    asked: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveService:
    """Take away the service that was deployed for the search; harmless where it is gone."""

    suggestion: Suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTrial:
    """Create a trial; harmless where one of this name exists."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTrial:
    """Begin to delete a trial; its finalizer holds it until job and metrics are gone."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Take our finalizer off an object that is being deleted, so that it can go."""

    target: Experiment | Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJob:
    """Create a trial's job; harmless where it is there already."""

    trial: Trial
    document: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteJob:
    """Begin to delete a trial's job and its pods; harmless where it is gone."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadObservation:
    """Ask the store for a summary of the trial's metrics; the next view has what came of it."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLatest:
    """Ask the store what a running trial's values are now; the next view has what came of it."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUnavailable:
    """Store `unavailable` as the objective's value: the training pushes, and pushed nothing."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteObservations:
    """Delete the trial's metrics from the store. A store that is away is told by the next view."""

    trial: Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitEvent:
    """Tell those who watch the object. Told at most once, and never waited for."""

    about: Experiment | Suggestion | Trial
    reason: str
    message: str
    type: EventType = EventType.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeAt:
    """Look at the object again then, even if nothing has happened."""

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
    | EmitEvent
    | WakeAt
)
