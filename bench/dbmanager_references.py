"""References for the DB manager's speed: the databases' bulk loading, and Katib's method.

Each stores the same points in Katib's table, its five columns and its primary key, and no more.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

import asyncmy
import asyncpg

Batch = tuple[str, tuple[tuple[int, str, str], ...]]
"""A trial's name, and points: microseconds since 1970, metric, value."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Katib's columns have no zone
_COLUMNS = ("trial_name", "time", "metric_name", "value")
_POSTGRESQL = (
    "CREATE TABLE observation_logs (trial_name VARCHAR(255) NOT NULL, id serial PRIMARY KEY,"
    " time TIMESTAMP(6), metric_name VARCHAR(255) NOT NULL, value TEXT NOT NULL)"
)
_MYSQL = (
    "CREATE TABLE observation_logs (trial_name VARCHAR(255) NOT NULL,"
    " id INT AUTO_INCREMENT PRIMARY KEY, time DATETIME(6), metric_name VARCHAR(255) NOT NULL,"
    " value TEXT NOT NULL)"
)
_SQLITE = (
    "CREATE TABLE observation_logs (trial_name VARCHAR(255) NOT NULL, id INTEGER PRIMARY KEY,"
    " time INTEGER, metric_name VARCHAR(255) NOT NULL, value TEXT NOT NULL)"
)


async def postgresql_copy(url: str, batches: Sequence[Batch]) -> None:
    """One COPY of all points through one connection."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_POSTGRESQL)
        rows = chain.from_iterable(map(_rows, batches))
        await connection.copy_records_to_table("observation_logs", records=rows, columns=_COLUMNS)
    finally:
        await connection.close()


def sqlite_executemany(path: Path, batches: Sequence[Batch]) -> None:
    """One `executemany` in one durable transaction, as in the store."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_SQLITE)
        with connection:
            connection.executemany(
                "INSERT INTO observation_logs (trial_name, time, metric_name, value)"
                " VALUES (?, ?, ?, ?)",
                ((trial, *point) for trial, points in batches for point in points),
            )
    finally:
        connection.close()


async def katibs_way_postgresql(url: str, batches: Sequence[Batch], writers: int) -> None:
    """One connection and one INSERT per batch, with a placeholder for each value."""
    connection = await asyncpg.connect(url)
    await connection.execute(_POSTGRESQL)
    await connection.close()

    async def store(batch: Batch) -> None:
        rows = list(_rows(batch))
        places = (f"(${n}, ${n + 1}, ${n + 2}, ${n + 3})" for n in range(1, 4 * len(rows), 4))
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(_insert(places), *chain.from_iterable(rows))
        finally:
            await connection.close()

    await _in_parallel(store, batches, writers)


async def katibs_way_mysql(
    port: int, database: str, batches: Sequence[Batch], writers: int
) -> None:
    """The same for MySQL."""
    where = {"host": "127.0.0.1", "port": port, "user": "root", "db": database, "autocommit": True}

    async def execute(statement: str, values: Sequence[object] = ()) -> None:
        connection = await asyncmy.connect(**where)
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(statement, tuple(values) or None)
        finally:
            await connection.ensure_closed()

    async def store(batch: Batch) -> None:
        rows = list(_rows(batch))
        await execute(_insert("(%s, %s, %s, %s)" for _ in rows), [*chain.from_iterable(rows)])

    await execute(_MYSQL)
    await _in_parallel(store, batches, writers)


def _insert(places: Iterator[str]) -> str:
    return f"INSERT INTO observation_logs ({', '.join(_COLUMNS)}) VALUES {', '.join(places)}"  # noqa: S608 - our own names


def _rows(batch: Batch) -> Iterator[tuple[str, datetime, str, str]]:
    trial, points = batch
    return (
        (trial, _EPOCH + timedelta(0, 0, micros), metric, value) for micros, metric, value in points
    )


async def _in_parallel(
    store: Callable[[Batch], Awaitable[None]], batches: Sequence[Batch], writers: int
) -> None:
    async def write(own: Sequence[Batch]) -> None:
        for batch in own:
            await store(batch)

    await asyncio.gather(*(write(batches[first::writers]) for first in range(writers)))
