"""What the stores over a database have in common: reads, deletes, and when it is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import ColumnElement, Executable, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.errors import SetupError, Unavailable
from dbmanager import reads
from dbmanager.attempts import chosen
from dbmanager.store import Outcome, Query, Row, Summary, TrialKey

PAGE = 4096
"""Rows; a read holds no more of them at a time."""

_OVERLAP = 2000
"""Ids; see `SqlStore.new_rows`."""


class SqlStore:
    """The half of a `Store` that is the same for every database. `report` is not."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def number(self, value: ColumnElement[str]) -> ColumnElement[float]:
        """Make the expression that is a value's number, or NULL where it is no finite one."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of the connections."""
        await self._engine.dispose()

    async def ping(self) -> None:
        """Return where the database answers."""
        await self._all(text("SELECT 1"))

    async def namespaces(self, trial: str) -> frozenset[str]:
        """Return under which namespaces a trial name is stored."""
        return frozenset(row[0] for row in await self._all(reads.namespaces(trial)))

    async def read(self, query: Query) -> AsyncIterator[list[Row]]:
        """Give the rows a page at a time; no connection is held between two pages."""
        shown = await self._shown(query.key)
        after, left = query.after, query.limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            found = await self._all(reads.page(query, shown, after, size))
            rows = [Row._make(row) for row in found]
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = rows[-1].micros, rows[-1].id
            left = None if left is None else left - len(rows)

    async def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        """Give the rows behind an id. Ids are taken before a commit, so rows may come late.

        A reader begins some ids further back, and is given these rows again.
        """
        after_id = max(0, after_id - _OVERLAP)
        while True:
            found = await self._all(reads.stored_behind(key, after_id, PAGE))
            rows = [Row._make(row) for row in found]
            if rows:
                yield rows
                after_id = rows[-1].id
            if len(rows) < PAGE:
                return

    async def summary(self, key: TrialKey, metrics: Sequence[str] = ()) -> list[Summary]:
        """Return a summary of each metric that has rows, by name."""
        shown = await self._shown(key)
        found = await self._all(reads.summaries(key, shown, metrics, self.number))
        fields = (
            "metric", "count", "first", "last", "minimum", "maximum", "first_micros", "last_micros"
        )  # fmt: skip
        summaries = [Summary(**dict(zip(fields, row, strict=True))) for row in found]
        return sorted(summaries, key=lambda summary: summary.metric)

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and its sources."""
        rows, states = reads.without_trial(key)
        async with self._transaction() as connection:
            await connection.execute(states)
            return (await connection.execute(rows)).rowcount

    async def _shown(self, key: TrialKey) -> frozenset[str]:
        states = await self._all(reads.source_states(key))
        outcomes = {row[0]: Outcome(row[1]) if row[1] else None for row in states}
        unsourced = bool(await self._all(reads.an_unsourced_row(key)))
        return chosen(outcomes, unsourced=unsourced)

    async def _all(self, statement: Executable) -> Sequence[Any]:
        async with self._transaction() as connection:
            return (await connection.execute(statement)).all()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        """Begin; commit at the end. Raises `Unavailable` where the database cannot be reached."""
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (TimeoutError, OSError, OperationalError, InterfaceError) as error:
            raise away(self._engine, error) from error
        except DBAPIError as error:
            if error.connection_invalidated or is_away(error):
                raise away(self._engine, error) from error
            raise SetupError(f"{named(self._engine)} refused a request: {error.orig}") from error
        except SQLAlchemyError as error:  # the pool gave no connection in time
            raise away(self._engine, error) from error


def is_away(error: DBAPIError) -> bool:
    """Say whether PostgreSQL is starting, stopping or dropping us (SQLSTATE classes 08 and 57)."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return str(state).startswith(("08", "57P", "53"))


def away(engine: AsyncEngine, error: Exception) -> Unavailable:
    """Say that the database cannot be reached now."""
    cause = getattr(error, "orig", None) or error
    return Unavailable(f"{named(engine)} does not answer: {cause}; it will be asked again")


def named(engine: AsyncEngine) -> str:
    """Name the database for a message; its password is left out."""
    return f"the database {engine.url.render_as_string(hide_password=True)}"
