"""What PostgreSQL and MySQL have in common: reports and deletes, under a lock of the trial.

Who writes to a trial first locks the trial's own row in `trialwatch_sources`, the one with the
source "". So the number of a report is compared and stored by one at a time, and a trial's ids
grow in the order of the commits: who reads behind an id passes no row over. The `last_sequence` of
that row is 1 once rows came without a source.

Reports that wait at the same time are stored in one transaction, which locks all their trials,
always in one order.
"""

from __future__ import annotations

import asyncio
import random
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Executable, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.backoff import Backoff
from api.errors import Unavailable
from dbmanager.store.batcher import Batcher, Limits
from dbmanager.store.columns import Columns
from dbmanager.store.contract import Delivery, NewRow, Receipt, TrialKey
from dbmanager.store.schema import observation_logs, sources
from dbmanager.store.sequence_numbers import Progress, Report, SourceKey
from dbmanager.store.sql_errors import is_worth_another_try, understood
from dbmanager.store.sql_reads import SOURCES, rows_of, sources_of
from dbmanager.store.sql_store import SqlStore

_POOL: Mapping[str, Any] = {"max_overflow": 0, "pool_reset_on_return": None}
# Every transaction here is ended where it was begun, so there is nothing to reset. Nor is a
# connection tried before it is used: who meets one that died since takes another.
WRITERS: Mapping[str, Any] = {**_POOL, "pool_size": 5}
"""The connections that write."""
READERS: Mapping[str, Any] = {**_POOL, "pool_size": 8, "isolation_level": "AUTOCOMMIT"}
"""The connections that read: each question is one round trip, with nothing before or after it."""
_LIMITS = Limits(requests=100, rows=20_000, large=2)
_TRIES = 10
_NEVER = {"last_sequence": 0, "gaps": 0}
"""The numbers of who has not reported yet."""
_BACKOFF = Backoff(first=0.01, longest=0.2, spread=1.0)

T = TypeVar("T")


class ServerStore(SqlStore):
    """A `Store` over a server. Each kind says how it claims, inserts and migrates."""

    _open = False

    def __init__(self, writers: AsyncEngine, readers: AsyncEngine, name: str) -> None:
        """Take over two engines; `name` is how messages call the database."""
        super().__init__(name)
        self._writers, self._readers = writers, readers
        self._batcher = Batcher(self._stored, _LIMITS)

    @abstractmethod
    def claim(self) -> Executable:
        """Make the statement that adds a row of `trialwatch_sources`, or leaves it as it is."""

    @abstractmethod
    def advance(self) -> Executable:
        """Make the statement that adds such a row, or changes it; the gaps are added up."""

    @abstractmethod
    async def insert(
        self, connection: AsyncConnection, batches: Sequence[tuple[SourceKey, Columns]]
    ) -> None:
        """Insert rows by the fastest way that the driver has, in their order."""

    @abstractmethod
    async def migrate(self, connection: AsyncConnection) -> None:
        """Bring the schema up to date, and let nobody else do so meanwhile."""

    async def open(self) -> None:
        """Connect, and bring the schema up to date."""
        with understood(self._name, opening=True):
            async with self._writers.connect() as connection:
                await self.migrate(connection)
        self._open = True

    async def close(self) -> None:
        """Finish the reports that wait, and close the connections."""
        await self._batcher.finish()
        self._open = False
        await self._writers.dispose()
        await self._readers.dispose()

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        """Store rows and the number of their report in one transaction."""
        if delivery is None and not rows:
            return Receipt(stored=0)
        report = Report(key=key, rows=Columns.of(rows), delivery=delivery)
        return await self._batcher.result(report, len(rows))

    async def _stored(self, reports: Sequence[Report]) -> Sequence[Receipt]:
        async def store(connection: AsyncConnection) -> Sequence[Receipt]:
            progress = Progress(await self._last(connection, reports))
            receipts = [progress.take(report) for report in reports]
            if changes := progress.changes():
                await connection.execute(self.advance(), changes)
            batches = [
                (report.source, report.rows)
                for report, receipt in zip(reports, receipts, strict=True)
                if receipt.stored
            ]
            if batches:
                await self.insert(connection, batches)
            return receipts

        return await self._written({report.key for report in reports}, store)

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and its sources."""

        async def remove(connection: AsyncConnection) -> int:
            found = await connection.execute(delete(observation_logs).where(rows_of(key)))
            await connection.execute(delete(sources).where(sources_of(key)))
            return found.rowcount

        return await self._written({key}, remove)

    async def _written(
        self, keys: AbstractSet[TrialKey], write: Callable[[AsyncConnection], Awaitable[T]]
    ) -> T:
        """Write in a transaction that holds the trials' locks; again where the database gave up."""
        cause: Exception | None = None
        for attempt in range(1, _TRIES + 1):
            locked = False
            try:
                async with self._connection(self._writers) as connection, connection.begin():
                    missing = keys - await self._locked(connection, keys)
                    locked = True
                    if not missing:
                        return await write(connection)
                # In a transaction of its own: who holds no lock yet can wait for one.
                await self._claim(missing)
                continue
            except Exception as error:
                if not is_worth_another_try(error) and (locked or not _was_dead(error)):
                    raise
                cause = error
            chance = random.random()  # noqa: S311 - no secret
            await asyncio.sleep(_BACKOFF.wait(attempt, chance))
        raise Unavailable(f"{self._name} gave up {_TRIES} times ({cause}); ask again") from cause

    async def _locked(
        self, connection: AsyncConnection, keys: AbstractSet[TrialKey]
    ) -> frozenset[TrialKey]:
        """Lock the trials' own rows, as far as they are there; return whose they are."""
        own = [and_(sources_of(key), SOURCES.source == "") for key in sorted(keys)]
        names = select(SOURCES.namespace, SOURCES.trial_name).where(or_(*own))
        in_order = names.order_by(SOURCES.trial_name, SOURCES.namespace).with_for_update()
        found = (await connection.execute(in_order)).all()
        return frozenset(TrialKey(namespace=namespace, trial=trial) for namespace, trial in found)

    async def _claim(self, keys: AbstractSet[TrialKey]) -> None:
        rows = [
            {"namespace": key.namespace, "trial_name": key.trial, "source": ""}
            for key in sorted(keys)
        ]
        async with self._connection(self._writers) as connection, connection.begin():
            await connection.execute(self.claim(), [{**row, **_NEVER} for row in rows])

    async def _last(
        self, connection: AsyncConnection, reports: Sequence[Report]
    ) -> dict[SourceKey, int]:
        """Return the numbers of the sources that report, as far as they have reported before."""
        named = {report.source for report in reports}
        own = [and_(sources_of(key), SOURCES.source == source) for key, source in named]
        found = await connection.execute(
            select(
                SOURCES.namespace, SOURCES.trial_name, SOURCES.source, SOURCES.last_sequence
            ).where(or_(*own))
        )
        return {
            (TrialKey(namespace=namespace, trial=trial), source): last
            for namespace, trial, source, last in found
        }

    async def _all(self, statement: Executable) -> Sequence[Sequence[Any]]:
        try:
            return await self._asked(statement)
        except Unavailable as error:
            if not _was_dead(error):
                raise
        return await self._asked(statement)

    async def _asked(self, statement: Executable) -> Sequence[Sequence[Any]]:
        async with self._connection(self._readers) as connection:
            return (await connection.execute(statement)).all()

    @asynccontextmanager
    async def _connection(self, of: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        if not self._open:
            raise Unavailable(f"{self._name} is not open: ask again when it is")
        with understood(self._name):
            async with of.connect() as connection:
                yield connection


def _was_dead(error: Exception) -> bool:
    """Say whether a connection was lost: if the server was started anew, another one will do."""
    return bool(getattr(error.__cause__, "connection_invalidated", False))
