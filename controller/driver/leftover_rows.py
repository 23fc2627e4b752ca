"""The metrics of deleted trials that the store could not delete in time.

A deleted trial waits for the store only for a while. Its rows are deleted later: the driver tries
again, by the trial's key, until the store answers. A restart of the controller forgets them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cachetools import LRUCache

from api.backoff import Backoff
from api.errors import RemoteError
from api.types import Trial
from controller.driver.ports import Observations
from controller.reconcile.views import Key, key_of

_BACKOFF: Final = Backoff(first=10.0, longest=600.0)
"""Seconds between two tries."""
_MOST: Final = 10_000
"""Trials; if there are more, the oldest are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leftover:
    trial: Trial
    failures: int = 0


class LeftoverRows:
    """The rows to delete, by trial."""

    def __init__(self, store: Observations) -> None:
        self._store = store
        self._leftovers: LRUCache[Key, _Leftover] = LRUCache(_MOST)

    def add(self, trial: Trial) -> None:
        """Delete the rows of this trial later; `deleted` does it."""
        self._leftovers[key_of(trial)] = _Leftover(trial=trial)

    def exists(self, trial: Trial) -> None:
        """Take note of a trial: rows under its name are its own, unless it is the deleted one."""
        leftover = self._leftovers.get(key_of(trial))
        if leftover is not None and leftover.trial.metadata.uid != trial.metadata.uid:
            del self._leftovers[key_of(trial)]

    async def deleted(self, key: Key, now: datetime) -> datetime | None:
        """Try to delete the rows of a trial that is gone; return when to try again, if at all."""
        leftover = self._leftovers.get(key)
        if leftover is None:
            return None
        try:
            await self._store.delete(leftover.trial)
        except RemoteError:
            failures = leftover.failures + 1
            self._leftovers[key] = replace(leftover, failures=failures)
            return now + timedelta(seconds=_BACKOFF.wait(failures))
        self._leftovers.pop(key, None)
        return None
