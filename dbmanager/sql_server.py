"""What PostgreSQL and MySQL have in common: reports and deletes, under a lock of the trial.

Who writes to a trial first locks the trial's own row in `trialwatch_sources`, the one with the
source "". So the number of a report is compared and stored by one at a time, and a trial's ids
grow in the order of the commits: who reads behind an id passes no row over.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Executable, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.errors import Unavailable
from dbmanager.schema import observation_logs, sources
from dbmanager.sql_errors import is_worth_another_try, understood
from dbmanager.sql_reads import SOURCES, rows_of, sources_of
from dbmanager.sql_store import SqlStore
from dbmanager.store import Delivery, NewRow, Receipt, TrialKey

POOL = 10
"""Connections; more writers than these wait for one."""
_TRIES = 10
_LONGEST_PAUSE = 0.2

T = TypeVar("T")


class ServerStore(SqlStore):
    """A `Store` over a server. Each kind says how it claims, inserts and migrates."""

    _open = False

    def claim(self, values: dict[str, Any]) -> Executable:
        """Make the statement that adds a row of `trialwatch_sources`, or finds it there."""
        raise NotImplementedError

    async def insert(
        self, connection: AsyncConnection, key: TrialKey, source: str, rows: Sequence[NewRow]
    ) -> None:
        """Insert rows by the fastest way that the driver has."""
        raise NotImplementedError

    async def migrate(self, connection: AsyncConnection) -> None:
        """Bring the schema up to date, and let nobody else do so meanwhile."""
        raise NotImplementedError

    async def open(self) -> None:
        """Connect, and bring the schema up to date."""
        with understood(self._name, opening=True):
            async with self._engine.connect() as connection:
                await self.migrate(connection)
        self._open = True

    async def close(self) -> None:
        """Close the connections."""
        self._open = False
        await self._engine.dispose()

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        """Store rows and the number of their report in one transaction."""
        if delivery is None and not rows:
            return Receipt(stored=0)

        async def store(connection: AsyncConnection) -> Receipt:
            gap = 0
            if delivery is not None:
                state = await self._advance(connection, key, delivery)
                if state is None:
                    return Receipt(stored=0, repeat=True)
                gap = state
            if rows:
                source = delivery.source if delivery else ""
                await self.insert(connection, key, source, rows)
            return Receipt(stored=len(rows), gap=gap)

        return await self._written(key, store)

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and its sources."""

        async def remove(connection: AsyncConnection) -> int:
            found = await connection.execute(delete(observation_logs).where(rows_of(key)))
            await connection.execute(delete(sources).where(sources_of(key)))
            return found.rowcount

        return await self._written(key, remove)

    async def _written(self, key: TrialKey, write: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Write in a transaction that holds the trial's lock; again where the database gave up."""
        cause: Exception | None = None
        for attempt in range(1, _TRIES + 1):
            try:
                async with self._connection() as connection, connection.begin():
                    await self._lock(connection, key)
                    return await write(connection)
            except Exception as error:
                if not is_worth_another_try(error):
                    raise
                cause = error
            pause = min(0.005 * 2**attempt, _LONGEST_PAUSE)
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
        raise Unavailable(f"{self._name} gave up {_TRIES} times ({cause}); ask again") from cause

    async def _lock(self, connection: AsyncConnection, key: TrialKey) -> None:
        locked = (
            select(SOURCES.source).where(sources_of(key), SOURCES.source == "").with_for_update()
        )
        while (await connection.execute(locked)).first() is None:
            own = {"namespace": key.namespace, "trial_name": key.trial, "source": ""}
            await connection.execute(self.claim({**own, "last_sequence": 0, "gaps": 0}))

    async def _advance(
        self, connection: AsyncConnection, key: TrialKey, delivery: Delivery
    ) -> int | None:
        """Note the number of a report; return the gap before it, None of a repeat."""
        own = (sources_of(key), SOURCES.source == delivery.source)
        found = (await connection.execute(select(SOURCES.last_sequence).where(*own))).first()
        last = found[0] if found else 0
        if delivery.sequence <= last:
            return None
        gap = delivery.sequence - last - 1
        outcome = delivery.outcome and delivery.outcome.value
        state = {"last_sequence": delivery.sequence, "outcome": outcome}
        if found:
            change = update(sources).where(*own).values(gaps=SOURCES.gaps + gap, **state)
            await connection.execute(change)
        else:
            names = {"namespace": key.namespace, "trial_name": key.trial}
            row = {**names, "source": delivery.source, "gaps": gap, **state}
            await connection.execute(insert(sources).values(row))
        return gap

    async def _all(self, statement: Executable) -> Sequence[Sequence[Any]]:
        async with self._connection() as connection:
            return (await connection.execute(statement)).all()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        if not self._open:
            raise Unavailable(f"{self._name} is not open: ask again when it is")
        with understood(self._name):
            async with self._engine.connect() as connection:
                yield connection
