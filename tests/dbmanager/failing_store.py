"""A store in memory whose calls fail or wait when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from dbmanager.store.contract import Delivery, NewRow, Query, Receipt, Row, Summary, TrialKey
from dbmanager.store.memory import MemoryStore


class FailingStore:
    """Each call first waits `pause` seconds, then raises `failure` if it is set."""

    def __init__(self) -> None:
        self.inner = MemoryStore()
        self.failure: Exception | None = None
        self.pause = 0.0
        self.opened = self.closed = 0
        self.reports = 0

    async def _touch(self) -> None:
        await asyncio.sleep(self.pause)
        if self.failure is not None:
            raise self.failure

    async def open(self) -> None:
        await self._touch()
        await self.inner.open()
        self.opened += 1

    async def close(self) -> None:
        await self.inner.close()
        self.closed += 1

    async def ping(self) -> None:
        await self._touch()

    async def namespaces(self, trial: str) -> frozenset[str]:
        await self._touch()
        return await self.inner.namespaces(trial)

    async def sources(self, key: TrialKey) -> Mapping[str, int]:
        await self._touch()
        return await self.inner.sources(key)

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        await self._touch()
        self.reports += 1
        return await self.inner.report(key, rows, delivery)

    async def read(self, query: Query) -> AsyncIterator[list[Row]]:
        await self._touch()
        async for rows in self.inner.read(query):
            yield rows

    async def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        await self._touch()
        async for rows in self.inner.new_rows(key, after_id):
            yield rows

    async def summary(self, key: TrialKey, metrics: Sequence[str] = ()) -> list[Summary]:
        await self._touch()
        return await self.inner.summary(key, metrics)

    async def delete(self, key: TrialKey) -> int:
        await self._touch()
        return await self.inner.delete(key)
