"""When to reconcile an object again: at its own request, or later and later after failures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from api.backoff import Backoff
from api.errors import RemoteError
from api.types import Experiment, Trial
from controller.driver.ports import Conflict, Events
from controller.reconcile.actions import Action, EmitEvent, WakeAt
from controller.reconcile.event_reasons import EventReason
from controller.reconcile.views import Key

BACKOFF: Final = Backoff(first=0.25, longest=60.0)
"""Seconds to wait after each failure in a row."""
SOON: Final = timedelta(milliseconds=50)
"""How soon to reconcile an object again that another writer has changed."""


def first_wake(actions: Iterable[Action]) -> datetime | None:
    """Return the first time at which the actions ask for another reconcile."""
    return min((action.moment for action in actions if isinstance(action, WakeAt)), default=None)


class Retries:
    """How often the reconcile of each object has failed in a row."""

    def __init__(self, events: Events) -> None:
        """`events` takes the cause of each failure."""
        self._events = events
        self._failures: dict[tuple[str, Key], int] = {}

    def reset(self, subject: tuple[str, Key]) -> None:
        """Forget an object's failures: its reconcile has succeeded, or the object is gone."""
        self._failures.pop(subject, None)

    def retry_at(
        self,
        subject: tuple[str, Key],
        about: Experiment | Trial | None,
        error: RemoteError,
        now: datetime,
    ) -> datetime:
        """Return when to reconcile an object again; post an Event with the cause.

        A conflict does not count as a failure: it gets a new try soon, and no Event. `subject` is
        the kind, "experiment" or "trial", and the key; `about` is the object, if it is known.
        """
        if isinstance(error, Conflict):
            return now + SOON
        failures = self._failures[subject] = self._failures.get(subject, 0) + 1
        if about is not None:
            self._events.emit(
                EmitEvent(
                    about=about,
                    reason=EventReason.RECONCILE_ERROR,
                    message=f"Failed to reconcile, and will try again: {error}",
                )
            )
        return now + timedelta(seconds=BACKOFF.wait(failures))
