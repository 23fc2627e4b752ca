"""What PostgreSQL and MySQL have in common: reports and deletes, under a lock of the trial.

Each writer first locks the trial's own row in `trialwatch_sources`, the row with the source "". So
only one transaction at a time compares and stores the numbers of a trial's reports, and a trial's
ids grow in the order of the commits: a reader of ids above a given one misses no row. The
`last_sequence` of this row is 1 as soon as the trial has rows without a source.

Reports that wait at the same time share a transaction (`store.batcher`), which locks all their
trials, always in the same order.
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
from dbmanager.store.sequence_numbers import Report, SequenceNumbers, SourceKey
from dbmanager.store.sql_errors import is_worth_another_try, translated_errors
from dbmanager.store.sql_reads import SOURCES, rows_of, sources_of
from dbmanager.store.sql_store import SqlStore

_POOL: Mapping[str, Any] = {"max_overflow": 0, "pool_reset_on_return": None}
# No reset: every transaction here ends in the block that began it. No ping before use: a caller
# that meets a lost connection tries again with another one.
WRITERS: Mapping[str, Any] = {**_POOL, "pool_size": 5}
"""The pool of connections that write."""
READERS: Mapping[str, Any] = {**_POOL, "pool_size": 8, "isolation_level": "AUTOCOMMIT"}
"""The pool of connections that read: each query is one round trip, without BEGIN or COMMIT."""
_LIMITS = Limits(requests=100, rows=20_000, large=2)
_TRIES = 10
_NEVER = {"last_sequence": 0, "gaps": 0}
"""The numbers of a source that has not reported yet."""
_BACKOFF = Backoff(first=0.01, longest=0.2, spread=1.0)

T = TypeVar("T")


class ServerStore(SqlStore):
    """A `Store` over a database server. Subclasses have the statements that differ."""

    _open = False

    def __init__(self, writers: AsyncEngine, readers: AsyncEngine, name: str) -> None:
        """Take over two engines; `name` is the database's name in messages."""
        super().__init__(name)
        self._writers, self._readers = writers, readers
        self._batcher = Batcher(self._store_reports, _LIMITS)

    @abstractmethod
    def claim(self) -> Executable:
        """Return the statement that inserts a row of `trialwatch_sources` unless it exists."""

    @abstractmethod
    def advance(self) -> Executable:
        """Return the statement that inserts such a row, or updates it and adds up the gaps."""

    @abstractmethod
    async def insert(
        self, connection: AsyncConnection, batches: Sequence[tuple[SourceKey, Columns]]
    ) -> None:
        """Insert rows in order, in the fastest way that the driver has."""

    @abstractmethod
    async def migrate(self, connection: AsyncConnection) -> None:
        """Bring the schema up to date, under a lock against other programs."""

    async def open(self) -> None:
        """Connect, and bring the schema up to date."""
        with translated_errors(self._name, opening=True):
            async with self._writers.connect() as connection:
                await self.migrate(connection)
        self._open = True

    async def close(self) -> None:
        """Finish the waiting reports, then close the connections."""
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

    async def _store_reports(self, reports: Sequence[Report]) -> Sequence[Receipt]:
        async def store(connection: AsyncConnection) -> Sequence[Receipt]:
            numbers = SequenceNumbers(await self._last_numbers(connection, reports))
            receipts = [numbers.accept(report) for report in reports]
            if changes := numbers.changes():
                await connection.execute(self.advance(), changes)
            batches = [
                (report.source, report.rows)
                for report, receipt in zip(reports, receipts, strict=True)
                if receipt.stored
            ]
            if batches:
                await self.insert(connection, batches)
            return receipts

        return await self._in_transaction({report.key for report in reports}, store)

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and its sources."""

        async def remove(connection: AsyncConnection) -> int:
            deleted = await connection.execute(delete(observation_logs).where(rows_of(key)))
            await connection.execute(delete(sources).where(sources_of(key)))
            return deleted.rowcount

        return await self._in_transaction({key}, remove)

    async def _in_transaction(
        self, keys: AbstractSet[TrialKey], write: Callable[[AsyncConnection], Awaitable[T]]
    ) -> T:
        """Write in a transaction that holds the trials' locks; try again if the database gives up.

        Raises:
            Unavailable: the database cannot be reached, or gave up every time.
        """
        cause: Exception | None = None
        for attempt in range(1, _TRIES + 1):
            locked = False
            try:
                async with self._connection(self._writers) as connection, connection.begin():
                    missing = keys - await self._lock_trials(connection, keys)
                    locked = True
                    if not missing:
                        return await write(connection)
                # In its own transaction: a transaction that holds locks must not wait for more.
                await self._insert_locks(missing)
                continue
            except Exception as error:
                if not is_worth_another_try(error) and (locked or not _lost_connection(error)):
                    raise
                cause = error
            chance = random.random()  # noqa: S311 - not a secret
            await asyncio.sleep(_BACKOFF.wait(attempt, chance))
        raise Unavailable(f"{self._name} gave up {_TRIES} times ({cause}); try again") from cause

    async def _lock_trials(
        self, connection: AsyncConnection, keys: AbstractSet[TrialKey]
    ) -> frozenset[TrialKey]:
        """Lock the trials' own rows; return the trials that have such a row."""
        own = [and_(sources_of(key), SOURCES.source == "") for key in sorted(keys)]
        names = select(SOURCES.namespace, SOURCES.trial_name).where(or_(*own))
        in_order = names.order_by(SOURCES.trial_name, SOURCES.namespace).with_for_update()
        locked = (await connection.execute(in_order)).all()
        return frozenset(TrialKey(namespace=namespace, trial=trial) for namespace, trial in locked)

    async def _insert_locks(self, keys: AbstractSet[TrialKey]) -> None:
        rows = [
            {"namespace": key.namespace, "trial_name": key.trial, "source": ""}
            for key in sorted(keys)
        ]
        async with self._connection(self._writers) as connection, connection.begin():
            await connection.execute(self.claim(), [{**row, **_NEVER} for row in rows])

    async def _last_numbers(
        self, connection: AsyncConnection, reports: Sequence[Report]
    ) -> dict[SourceKey, int]:
        """Return the last numbers of the reports' sources; a new source is absent."""
        reporting = {report.source for report in reports}
        own = [and_(sources_of(key), SOURCES.source == source) for key, source in reporting]
        stored = await connection.execute(
            select(
                SOURCES.namespace, SOURCES.trial_name, SOURCES.source, SOURCES.last_sequence
            ).where(or_(*own))
        )
        return {
            (TrialKey(namespace=namespace, trial=trial), source): last
            for namespace, trial, source, last in stored
        }

    async def _fetch_all(self, statement: Executable) -> Sequence[Sequence[Any]]:
        try:
            return await self._query(statement)
        except Unavailable as error:
            if not _lost_connection(error):
                raise
        return await self._query(statement)

    async def _query(self, statement: Executable) -> Sequence[Sequence[Any]]:
        async with self._connection(self._readers) as connection:
            return (await connection.execute(statement)).all()

    @asynccontextmanager
    async def _connection(self, of: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        if not self._open:
            raise Unavailable(f"{self._name} is not open yet: try again")
        with translated_errors(self._name):
            async with of.connect() as connection:
                yield connection


def _lost_connection(error: Exception) -> bool:
    """Return whether a connection was lost: after a restart of the server, another one works."""
    return bool(getattr(error.__cause__, "connection_invalidated", False))
