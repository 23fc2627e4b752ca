"""The latest values of a trial that runs, shown in its status now and then.

Every trial has a beat of its own, so that a thousand of them do not ask the store at once. What is
shown is never an answer: optimum, goal and history take the values of trials that have ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zlib import crc32

from api.errors import RemoteError, Unavailable
from api.types import Objective, Trial
from controller.reconcile.actions import Action, ReadLatest, WakeAt, WriteStatus
from controller.reconcile.observation import observation_of
from controller.reconcile.views import (
    Key,
    MetricSummary,
    StoredMetrics,
    StoreUnavailable,
    TrialView,
    key_of,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_AT_ONCE = 4
"""Questions that may be open. A store that hangs must not hold up what waits for a turn."""


def show_latest_values(
    view: TrialView, now: datetime, interval: timedelta | None
) -> tuple[Action, ...]:
    """Say what is due so that a running trial's status shows its latest values.

    | the store | due |
    |---|---|
    | has been asked in this beat | come again at the next |
    | has not | ask it |
    | answers with other values | write them |
    | answers with the same, with none, or not at all | nothing |
    """
    if not interval or view.asked is None:
        return ()
    trial = view.trial
    if view.latest is None and _beat(trial, now, interval) > _beat(trial, view.asked, interval):
        return (ReadLatest(trial=trial),)
    wake = WakeAt(moment=_next_beat(trial, now, interval))
    if not isinstance(view.latest, StoredMetrics):
        return (wake,)
    objective = trial.spec.objective or Objective()
    found = observation_of(view.latest.metrics, objective) or trial.status.observation
    if found == trial.status.observation:
        return (wake,)
    after = replace(trial, status=replace(trial.status, observation=found))
    return (WriteStatus(target=after), wake)


def _beat(trial: Trial, moment: datetime, interval: timedelta) -> int:
    """Number a trial's beats."""
    return (moment - _EPOCH + _offset(trial, interval)) // interval


def _next_beat(trial: Trial, now: datetime, interval: timedelta) -> datetime:
    beat = _beat(trial, now, interval) + 1
    return _EPOCH + beat * interval - _offset(trial, interval)


def _offset(trial: Trial, interval: timedelta) -> timedelta:
    """Spread the trials evenly, each always to the same place."""
    return interval * (crc32(str(key_of(trial)).encode()) / 2**32)


class LatestValueReads:
    """When each trial's latest values were asked for, and how the store bears it.

    Losing it costs nothing: each trial is asked about again at its next beat.
    """

    def __init__(self) -> None:
        self._asked: dict[Key, datetime] = {}
        self._open = 0
        self._away: tuple[datetime, StoreUnavailable] | None = None

    def asked(self, key: Key, now: datetime) -> datetime:
        """Return when a trial was asked about last; at first it counts as just now."""
        return self._asked.setdefault(key, now)

    def forget(self, key: Key) -> None:
        """A trial no longer runs."""
        self._asked.pop(key, None)

    async def read(
        self,
        trial: Trial,
        now: datetime,
        ask: Callable[[Trial], Awaitable[Sequence[MetricSummary]]],
        interval: timedelta | None,
    ) -> StoredMetrics | StoreUnavailable:
        """Ask about a trial, if the store is not known to be away and not too many wait for it."""
        self._asked[key_of(trial)] = now
        if self._away is not None and now < self._away[0]:
            return self._away[1]
        if self._open >= _MOST_AT_ONCE:
            return StoreUnavailable(cause="many questions wait for an answer")
        self._open += 1
        try:
            found = StoredMetrics(metrics=tuple(await ask(trial)))
        except Unavailable as error:
            away = StoreUnavailable(cause=str(error))
            self._away = (now + (interval or timedelta(0)), away)
            return away
        except RemoteError as error:
            return StoreUnavailable(cause=str(error))  # it refuses this question, perhaps no other
        finally:
            self._open -= 1
        self._away = None
        return found
