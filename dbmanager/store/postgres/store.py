"""The store in PostgreSQL, with the driver asyncpg."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
from sqlalchemy import (
    ColumnElement,
    Double,
    Executable,
    Numeric,
    and_,
    case,
    cast,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from dbmanager.store.columns import Columns
from dbmanager.store.finite import LONGEST, PATTERN, USUAL, USUAL_LENGTH
from dbmanager.store.postgres.copy import COLUMNS, HEADER, TRAILER, copy_data
from dbmanager.store.postgres.schema import MIGRATIONS
from dbmanager.store.schema import sources
from dbmanager.store.sequence_numbers import SourceKey
from dbmanager.store.sql_errors import invalid_url
from dbmanager.store.sql_server import READERS, WRITERS, ServerStore

_CONNECT_SECONDS = 5.0
_LOCK = 0x7472_6961_6C77_6174
"""The advisory lock for schema changes: "trialwat" in ASCII."""

_LARGEST_EXPONENT = 9_999
"""PostgreSQL's `numeric` refuses much larger exponents."""
_OVERFLOW = text(str(2**1024 - 2**970))
"""Numbers from here up would be rounded to infinity; PostgreSQL's cast fails."""
_UNDERFLOW = text("2.4703282292062328e-324")
"""Numbers below are rounded to 0; the cast fails too."""


class PostgresStore(ServerStore):
    """A `Store` in PostgreSQL."""

    def __init__(self, url: str, name: str, *, initialize: bool = True) -> None:
        """Take a URL as libpq and asyncpg read it, including `sslmode`."""

        async def connect() -> Any:  # noqa: ANN401 - asyncpg has no types
            try:
                return await asyncpg.connect(dsn=url, timeout=_CONNECT_SECONDS)
            except ValueError:  # for a wrong URL; its text may have a part of the password
                raise invalid_url(name) from None

        super().__init__(
            create_async_engine("postgresql+asyncpg://", async_creator=connect, **WRITERS),
            create_async_engine("postgresql+asyncpg://", async_creator=connect, **READERS),
            name,
        )
        self._initialize = initialize

    def number(self, value: ColumnElement[str]) -> ColumnElement[float]:
        """Cast only what can be cast: PostgreSQL fails if others return infinity or 0."""
        exact = cast(value, Numeric())
        double_of_text: ColumnElement[float] = cast(value, Double())
        double: ColumnElement[float] = cast(exact, Double())
        size = func.abs(exact)
        in_range = case((size < _UNDERFLOW, 0.0), (size < _OVERFLOW, double))
        # CASE evaluates its conditions in order; AND may be reordered.
        usual = and_(func.length(value) <= USUAL_LENGTH, value.op("~")(f"^{USUAL}$"))
        return case(
            (usual, double_of_text),
            (func.length(value) > LONGEST, None),
            (value.op("!~")(f"^({PATTERN})$"), None),
            (value.op("~")(r"^[+-]?[0.]+([eE]|$)"), 0.0),
            (value.op("~")(r"[eE]\+?0*[1-9][0-9]{4}"), None),
            (value.op("~")(r"[eE]-0*[1-9][0-9]{4}"), 0.0),
            else_=in_range,
        )

    def claim(self) -> Executable:
        """Return an INSERT that leaves an existing row unchanged."""
        return insert(sources).on_conflict_do_nothing()

    def advance(self) -> Executable:
        """Return an INSERT that updates an existing row."""
        new = insert(sources)
        return new.on_conflict_do_update(
            index_elements=sources.primary_key,
            set_={
                "last_sequence": new.excluded.last_sequence,
                "gaps": sources.c.gaps + new.excluded.gaps,
                "outcome": new.excluded.outcome,
            },
        )

    async def insert(
        self, connection: AsyncConnection, batches: Sequence[tuple[SourceKey, Columns]]
    ) -> None:
        """COPY within the transaction; the bytes are encoded while they are sent."""
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection

        async def encoded() -> AsyncIterator[bytes]:
            yield HEADER
            for (key, source), rows in batches:
                for piece in copy_data((key.trial, key.namespace, source), rows):
                    yield piece
            yield TRAILER

        await driver.copy_to_table(
            "observation_logs", source=encoded(), columns=COLUMNS, format="binary"
        )

    async def migrate(self, connection: AsyncConnection) -> None:
        """Upgrade in one transaction, under an advisory lock."""

        def run(synchronous: Any) -> None:  # noqa: ANN401 - SQLAlchemy's connection
            def execute(statement: str) -> Sequence[Sequence[Any]]:
                result = synchronous.exec_driver_sql(statement)
                return result.all() if result.returns_rows else ()

            if MIGRATIONS.is_needed(execute):
                execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
                MIGRATIONS.run(execute, initialize=self._initialize)

        async with connection.begin():
            await connection.run_sync(run)
