"""The latest values of a running trial, shown in its status from time to time.

Each trial has its own schedule, so a thousand of them do not query the store at the same moment.
These values do not count: optimum, goal and history use only the values of ended trials.
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
_MAX_OPEN_QUERIES = 4
"""Queries that may be open at a time. A store that hangs must not block the reconcile workers."""


def show_latest_values(
    view: TrialView, now: datetime, interval: timedelta | None
) -> tuple[Action, ...]:
    """Return what is due so that a running trial's status shows its latest values.

    | the store | due |
    |---|---|
    | was queried in this interval | reconcile again in the next interval |
    | was not queried in this interval | query it |
    | returned other values | write them |
    | returned the same values, none, or an error | nothing |
    """
    if not interval or view.latest_read_at is None:
        return ()
    trial = view.trial
    if view.latest is None and _interval_number(trial, now, interval) > _interval_number(
        trial, view.latest_read_at, interval
    ):
        return (ReadLatest(trial=trial),)
    wake = WakeAt(moment=_next_interval(trial, now, interval))
    if not isinstance(view.latest, StoredMetrics):
        return (wake,)
    objective = trial.spec.objective or Objective()
    observation = observation_of(view.latest.metrics, objective) or trial.status.observation
    if observation == trial.status.observation:
        return (wake,)
    after = replace(trial, status=replace(trial.status, observation=observation))
    return (WriteStatus(target=after), wake)


def _interval_number(trial: Trial, moment: datetime, interval: timedelta) -> int:
    """Return the number of the interval that contains a moment; each trial counts its own."""
    return (moment - _EPOCH + _offset(trial, interval)) // interval


def _next_interval(trial: Trial, now: datetime, interval: timedelta) -> datetime:
    next_number = _interval_number(trial, now, interval) + 1
    return _EPOCH + next_number * interval - _offset(trial, interval)


def _offset(trial: Trial, interval: timedelta) -> timedelta:
    """Spread the trials evenly over the interval; a trial always has the same offset."""
    return interval * (crc32(str(key_of(trial)).encode()) / 2**32)


class LatestValueReads:
    """When each trial's latest values were read, and whether the store answers.

    Losing this state is harmless: each trial is read again in its next interval.
    """

    def __init__(self) -> None:
        self._last_reads: dict[Key, datetime] = {}
        self._open_queries = 0
        self._unavailable: tuple[datetime, StoreUnavailable] | None = None

    def last_read(self, key: Key, now: datetime) -> datetime:
        """Return when a trial was read last; `now` if it is new here."""
        return self._last_reads.setdefault(key, now)

    def forget(self, key: Key) -> None:
        """Forget a trial that no longer runs."""
        self._last_reads.pop(key, None)

    async def read(
        self,
        trial: Trial,
        now: datetime,
        query: Callable[[Trial], Awaitable[Sequence[MetricSummary]]],
        interval: timedelta | None,
    ) -> StoredMetrics | StoreUnavailable:
        """Read a trial's latest values, if the store is available and few queries are open."""
        self._last_reads[key_of(trial)] = now
        if self._unavailable is not None and now < self._unavailable[0]:
            return self._unavailable[1]
        if self._open_queries >= _MAX_OPEN_QUERIES:
            return StoreUnavailable(cause="too many queries of the store are open")
        self._open_queries += 1
        try:
            stored = StoredMetrics(metrics=tuple(await query(trial)))
        except Unavailable as error:
            unavailable = StoreUnavailable(cause=str(error))
            self._unavailable = (now + (interval or timedelta(0)), unavailable)
            return unavailable
        except RemoteError as error:
            # It refused this query; other queries may succeed.
            return StoreUnavailable(cause=str(error))
        finally:
            self._open_queries -= 1
        self._unavailable = None
        return stored
