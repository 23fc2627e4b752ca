"""The embedded store: one file, one writer thread, no server.

All writes go through one thread with one connection. Reports that wait while it commits are stored
together in the next transaction, so many writers cost one commit, and each is acknowledged when
that commit is on the disk: `synchronous=FULL`, so that not even a power cut takes back an
acknowledged report. Readers have connections of their own; WAL lets them read meanwhile.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, ColumnElement, event, func
from sqlalchemy.ext.asyncio import create_async_engine

from api.errors import SetupError, Unavailable
from dbmanager.finite import number_of
from dbmanager.migrations import SQLITE_STEPS
from dbmanager.sql import SqlStore
from dbmanager.store import Delivery, NewRow, Receipt, TrialKey

_BUSY_SECONDS = 10.0
_MOST_AT_ONCE = 512
"""Requests in one transaction."""

_INSERT = (
    "INSERT INTO observation_logs (trial_name, namespace, source, time, metric_name, value)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_LAST = (
    "SELECT last_sequence FROM trialwatch_sources"
    " WHERE trial_name = ? AND namespace = ? AND source = ?"
)
_ADVANCE = (
    "INSERT INTO trialwatch_sources"
    " (trial_name, namespace, source, last_sequence, gaps, outcome) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET last_sequence = excluded.last_sequence,"
    " gaps = gaps + excluded.gaps, outcome = coalesce(excluded.outcome, outcome)"
)

_DELETE_SOURCES = "DELETE FROM trialwatch_sources WHERE trial_name = ? AND namespace = ?"
_DELETE_ROWS = "DELETE FROM observation_logs WHERE trial_name = ? AND namespace = ?"

Write = Callable[[sqlite3.Connection], Any]


@dataclass(slots=True)
class _Request:
    write: Write
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    result: Any = field(default=None)


class SqliteStore(SqlStore):
    """A `Store` in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        url = URL.create("sqlite+aiosqlite", database=str(path))
        super().__init__(create_async_engine(url))
        event.listen(self._engine.sync_engine, "connect", _prepare_reader)
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._opening = asyncio.Lock()

    def number(self, value: ColumnElement[str]) -> ColumnElement[float]:
        """Ask the function that each connection is given."""
        return func.trialwatch_number(value)

    async def open(self) -> None:
        """Open the file, bring its schema up to date, start the writer."""
        async with self._opening:
            if self._writer is not None:
                return
            connection = await asyncio.to_thread(self._connect)
            self._writer = threading.Thread(
                target=self._write_all, args=(connection,), name="sqlite-writer", daemon=True
            )
            self._writer.start()

    async def close(self) -> None:
        """Let the writer finish, then close the file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            self._requests.put(None)
            await asyncio.to_thread(writer.join)
        await super().close()

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        """Store rows and the number of their report in one transaction."""
        receipt: Receipt = await self._written(lambda to: _store(to, key, rows, delivery))
        return receipt

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and its sources."""
        count: int = await self._written(lambda to: _delete(to, key))
        return count

    async def ping(self) -> None:
        """Return where the file is open and can be read."""
        if self._writer is None:
            raise Unavailable(f"the file {self._path} is not open yet; it will be")
        await super().ping()

    async def _written(self, write: Write) -> Any:  # noqa: ANN401 - what the write returns
        if self._writer is None:
            raise Unavailable(f"the file {self._path} is not open yet; ask again")
        loop = asyncio.get_running_loop()
        request = _Request(write, loop, loop.create_future())
        self._requests.put(request)
        # A caller that is cancelled does not take its rows back: they are on their way.
        return await asyncio.shield(request.done)

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            for step in SQLITE_STEPS:
                step(connection)
        except sqlite3.Error as error:
            raise SetupError(
                f"cannot open the database file {self._path}: {error}; "
                "name a file in a folder that this user may write to"
            ) from error
        return connection

    def _write_all(self, connection: sqlite3.Connection) -> None:
        """Run in the writer's thread until told to end."""
        ended = False
        while not ended:
            first = self._requests.get()
            requests = [] if first is None else [first]
            ended = first is None
            while not ended and len(requests) < _MOST_AT_ONCE:
                try:
                    following = self._requests.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    ended = True
                else:
                    requests.append(following)
            if requests:
                self._commit(connection, requests)
        connection.close()

    def _commit(self, connection: sqlite3.Connection, requests: list[_Request]) -> None:
        fault: Exception | None = None
        try:
            connection.execute("BEGIN IMMEDIATE")
            for request in requests:
                request.result = request.write(connection)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, each caller has to hear of it
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            fault = Unavailable(f"cannot write to {self._path}: {error}; ask again")
            fault.__cause__ = error
        for request in requests:
            request.loop.call_soon_threadsafe(_settle, request, fault)


def _settle(request: _Request, fault: Exception | None) -> None:
    if request.done.done():
        return
    if fault is None:
        request.done.set_result(request.result)
    else:
        request.done.set_exception(fault)


def _store(
    to: sqlite3.Connection, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None
) -> Receipt:
    gap, source = 0, ""
    if delivery is not None:
        source = delivery.source
        known = to.execute(_LAST, (key.trial, key.namespace, source)).fetchone()
        last = known[0] if known else 0
        if delivery.sequence <= last:
            return Receipt(stored=0, repeat=True)
        gap = delivery.sequence - last - 1
        to.execute(
            _ADVANCE,
            (key.trial, key.namespace, source, delivery.sequence, gap, delivery.outcome),
        )
    to.executemany(_INSERT, [(key.trial, key.namespace, source, *row) for row in rows])
    return Receipt(stored=len(rows), gap=gap)


def _delete(to: sqlite3.Connection, key: TrialKey) -> int:
    to.execute(_DELETE_SOURCES, (key.trial, key.namespace))
    return to.execute(_DELETE_ROWS, (key.trial, key.namespace)).rowcount


def _prepare_reader(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's
    connection.create_function("trialwatch_number", 1, number_of, deterministic=True)
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={int(_BUSY_SECONDS * 1000)}")
    cursor.close()
