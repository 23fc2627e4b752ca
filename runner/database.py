"""The DB manager in the runner: a server for its collectors, and a port of the core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from api.errors import Unavailable
from api.names import UNAVAILABLE
from api.types import Trial
from controller.reconcile.views import MetricSummary
from dbmanager.connect import store_for
from dbmanager.server import Server
from dbmanager.service.connection import Connection
from dbmanager.store.contract import NewRow, Query, Store, Summary, TrialKey
from runner.sockets import address_of

_PATIENCE = 30.0
"""The longest wait for a database, in seconds."""
_GRACE = 2.0
_YEAR_ONE = -62135596800_000_000
"""Microseconds of `UNAVAILABLE_TIME`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An open store, and the address of its server."""

    store: Store
    address: str


@asynccontextmanager
async def database(url: str, sockets: Path) -> AsyncIterator[Database]:
    """Open a database, and serve it on a Unix socket.

    Args:
        url: of the database.
        sockets: the directory for the socket.

    Raises:
        SetupError: the URL is invalid, or the database cannot be used.
        Unavailable: the database did not answer.
    """
    store = store_for(url)
    connection = Connection(store)
    try:
        try:
            async with asyncio.timeout(_PATIENCE):
                await connection.open()
        except TimeoutError:
            raise Unavailable(
                f"--database: no answer within {_PATIENCE:.0f} s ({connection.cause}); "
                "check that the database runs"
            ) from None
        server = Server(connection)
        path = sockets / "db-manager"
        server.listen_on_socket(path)
        await server.start()
        try:
            yield Database(store=store, address=address_of(path))
        finally:
            await server.stop(_GRACE)
    finally:
        await store.close()


class StoredObservations:
    """`controller.driver.ports.Observations` over a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def summary(self, trial: Trial) -> Sequence[MetricSummary]:
        """Return a summary of each of the objective's metrics that has points."""
        objective = trial.spec.objective
        wanted = objective.metrics if objective else ()
        return [_summary(one) for one in await self._store.summary(_key(trial), wanted)]

    async def latest(self, trial: Trial) -> Sequence[MetricSummary]:
        """Return the same summary: the store is local."""
        return await self.summary(trial)

    async def report_unavailable(self, trial: Trial) -> None:
        """Store `unavailable` for the objective."""
        if trial.spec.objective is not None:
            row = NewRow(_YEAR_ONE, trial.spec.objective.metric, UNAVAILABLE)
            await self._store.report(_key(trial), [row])

    async def delete(self, trial: Trial) -> None:
        """Delete all stored points of the trial."""
        await self._store.delete(_key(trial))

    async def values(self, trial: Trial, metric: str) -> list[str]:
        """Return all values of a metric, in the order of time."""
        query = Query(key=_key(trial), metrics=(metric,))
        return [row.value async for rows in self._store.read(query) for row in rows]


def _key(trial: Trial) -> TrialKey:
    return TrialKey(namespace=trial.metadata.namespace, trial=trial.metadata.name)


def _summary(one: Summary) -> MetricSummary:
    return MetricSummary(
        name=one.metric,
        count=one.count,
        last=one.last,
        first=one.first,
        min=one.minimum or "",
        max=one.maximum or "",
    )
