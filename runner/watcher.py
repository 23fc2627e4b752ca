"""The interface through which a run reports its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from api.errors import UserError
from api.types import Experiment, Trial
from controller.reconcile.actions import EmitEvent
from controller.reconcile.event_reasons import EventReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of an experiment at one moment."""

    experiment: Experiment
    trials: tuple[Trial, ...]
    """In the order of suggestion."""
    latest: Mapping[str, Mapping[str, str]]
    """By running trial and metric: the newest stored value."""
    running: int = 0
    """How many jobs run."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """By trial whose pod cannot start yet: what it waits for."""
    retries: Mapping[str, int] = field(default_factory=dict)
    """By trial: how many of its starts have failed."""
    note: str = ""
    """Why fewer trials run at the same time than the file says, or more; "" if they do not."""
    ending: bool = False
    """Whether the user has interrupted the run, and its processes are being ended."""


class CannotSucceed(UserError):
    """No trial of an experiment can succeed: the experiment ends, and its trials with it."""

    def __init__(self, message: str, cause: str) -> None:
        """Take what the user should know and do, and the cause in one line, to be stored."""
        super().__init__(message)
        self.cause = cause


class Watcher(Protocol):
    """Receives the progress of a run."""

    def show(self, snapshot: Snapshot) -> None:
        """Show a new state; called after changes, at most a few times per second.

        Raises:
            CannotSucceed: the experiment must end as failed; raised once.
        """

    def tell(self, text: str) -> None:
        """Show a line about an event."""

    def warn(self, text: str) -> None:
        """Show a warning."""


class Warnings:
    """`controller.driver.ports.Events`: shows each error between the parts once."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn, self._shown = warn, set[str]()

    def emit(self, event: EmitEvent) -> None:
        """Process one event."""
        if event.reason in (EventReason.RECONCILE_ERROR, EventReason.TEMPLATE_UNUSABLE):
            text = f"{event.about.metadata.name}: {event.message}"
            if text not in self._shown:
                self._shown.add(text)
                self._warn(text)
