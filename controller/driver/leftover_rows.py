"""The metrics of deleted trials that the store could not delete in time.

A deleted trial waits for the store only for a while. Its rows are deleted later: the driver tries
again, by the trial's key, until the store answers. The record in the cluster is written before the
trial can go, so the next leader continues.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cachetools import LRUCache

from api.backoff import Backoff
from api.errors import RemoteError
from api.types import ObjectMeta, Trial
from controller.driver.ports import LeftoverRecord, Observations, RecordedTrial
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

    def __init__(self, store: Observations, record: LeftoverRecord) -> None:
        self._store, self._record = store, record
        self._leftovers: LRUCache[Key, _Leftover] = LRUCache(_MOST)
        self._is_read = False

    async def restore(self) -> list[Key]:
        """Take over what an earlier leader has recorded; return the trials to reconcile.

        Raises:
            RemoteError: the record cannot be read now.
        """
        await self._read()
        return list(self._leftovers)

    async def add(self, trial: Trial) -> None:
        """Delete the rows of this trial later; `deleted` does it."""
        self._leftovers[key_of(trial)] = _Leftover(trial=trial)
        await self._save()

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
        await self._save()
        return None

    async def _save(self) -> None:
        try:
            await self._read()
        except RemoteError:
            return  # `restore` reports it; the deletion of a trial does not wait for the record
        await self._record.write([_recorded(one.trial) for one in self._leftovers.values()])

    async def _read(self) -> None:
        if self._is_read:
            return
        for one in await self._record.read():
            trial = _trial(one)
            self._leftovers.setdefault(key_of(trial), _Leftover(trial=trial))
        self._is_read = True


def _recorded(trial: Trial) -> RecordedTrial:
    metadata = trial.metadata
    return RecordedTrial(namespace=metadata.namespace, name=metadata.name, uid=metadata.uid)


def _trial(one: RecordedTrial) -> Trial:
    return Trial(metadata=ObjectMeta(namespace=one.namespace, name=one.name, uid=one.uid))
