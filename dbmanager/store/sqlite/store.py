"""The embedded store: one SQLite file, no server.

One thread with one connection does all writes (`writer`). Reads run in other threads with their own
connections, one step of a thread for each query. In WAL mode, reads and writes do not wait for each
other.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import URL, ColumnElement, Executable, Float, column, create_engine, event

from api.errors import Unavailable
from dbmanager.store.columns import Columns
from dbmanager.store.contract import Delivery, DiskFull, NewRow, Receipt, TrialKey
from dbmanager.store.sql_errors import translated_errors
from dbmanager.store.sql_store import SqlStore
from dbmanager.store.sqlite.file_identity import FileIdentity
from dbmanager.store.sqlite.reserve import RESERVE_BYTES, Reserve
from dbmanager.store.sqlite.rows import delete_some, delete_trial, store_report
from dbmanager.store.sqlite.schema import MIGRATIONS
from dbmanager.store.sqlite.writer import Writer

_BUSY_SECONDS = 10.0
_READERS = 4
_PIECE = 1_000
"""Rows that are deleted at a time on a full disk."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # NORMAL is enough if only the process dies: the kernel has what it wrote. FULL waits for the
    # disk at each commit, so an acknowledged report also survives a power cut.
    "PRAGMA synchronous = FULL",
)


class SqliteStore(SqlStore):
    """A `Store` in one file."""

    def __init__(self, path: Path, *, initialize: bool = True, reserve: bool = False) -> None:
        """`reserve`: keep room on the disk for deletes, in a file beside the database."""
        super().__init__(f"the database file {path}")
        self._readers = create_engine(
            URL.create("sqlite", database=str(path)),
            pool_size=_READERS,
            max_overflow=0,
            connect_args={"timeout": _BUSY_SECONDS},
        )
        event.listen(self._readers, "connect", _forbid_writing)
        self._path, self._initialize = path, initialize
        self._identity: FileIdentity | None = None
        self._reserve = Reserve(path, RESERVE_BYTES if reserve else 0)
        self._writer: Writer | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._opening = asyncio.Lock()

    def number(self, value: ColumnElement[str]) -> ColumnElement[float]:  # noqa: ARG002 - see the schema
        """Return the column with the number."""
        return column("number", Float())

    async def open(self) -> None:
        """Open the file, bring its schema up to date, start the writer."""
        async with self._opening:
            if self._identity is not None:
                self._identity.check()
            if self._writer is None:
                with translated_errors(self._name, opening=True):
                    connection = await asyncio.to_thread(self._connect)
                self._identity = FileIdentity(self._path, self._name)
                self._writer = Writer(connection, self._name, self._identity.check)
                await asyncio.to_thread(self._reserve.keep)
                self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-reader")

    async def close(self) -> None:
        """Finish the waiting writes, then close the file."""
        async with self._opening:
            writer, self._writer = self._writer, None
            self._identity = None
            threads, self._threads = self._threads, None
            if writer is not None:
                await writer.close()
            if threads is not None:
                await asyncio.to_thread(threads.shutdown)
            self._readers.dispose()

    async def ping(self) -> None:
        """Return if the file is open and can be read."""
        self._require_writer()
        await super().ping()

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        """Store rows and the number of their report in one transaction."""
        columns = Columns.of(rows)
        writer = self._require_writer()
        receipt: Receipt = await writer.write(
            lambda connection: store_report(connection, key, columns, delivery), len(columns)
        )
        return receipt

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and its sources.

        On a full disk, this uses the reserve, and deletes the rows in pieces: one transaction for
        all of them could need more room than there is.
        """
        writer = self._require_writer()
        try:
            return await self._delete_all(writer, key)
        except DiskFull:
            await asyncio.to_thread(self._reserve.release)
        count = 0
        while True:
            await writer.checkpoint()
            deleted: int = await writer.write(
                lambda connection: delete_some(connection, key, _PIECE), 0
            )
            count += deleted
            if deleted < _PIECE:
                count += await self._delete_all(writer, key)
                await writer.checkpoint()
                await asyncio.to_thread(self._reserve.keep)
                return count

    async def _delete_all(self, writer: Writer, key: TrialKey) -> int:
        count: int = await writer.write(lambda connection: delete_trial(connection, key), 0)
        return count

    async def _fetch_all(self, statement: Executable) -> Sequence[Sequence[Any]]:
        self._require_writer()
        with translated_errors(self._name):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._query, statement)

    def _query(self, statement: Executable) -> Sequence[Sequence[Any]]:
        with self._readers.connect() as connection:
            return connection.execute(statement).all()

    def _require_writer(self) -> Writer:
        if self._writer is None:
            raise Unavailable(f"{self._name} is not open yet: try again")
        if self._identity is not None:
            self._identity.check()  # a reader would make a new file where there is none
        return self._writer

    def _connect(self) -> sqlite3.Connection:
        """Open the writer's connection."""
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _retry_while_busy(lambda: self._prepare(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:  # of an earlier try that failed
            connection.execute("ROLLBACK")
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        self._migrate(connection)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        def execute(statement: str) -> Sequence[Sequence[Any]]:
            return connection.execute(statement).fetchall()

        if not MIGRATIONS.is_needed(execute):
            return
        connection.execute("BEGIN IMMEDIATE")  # other programs that open the file wait here
        MIGRATIONS.run(execute, initialize=self._initialize)
        connection.execute("COMMIT")


def _retry_while_busy(act: Callable[[], None]) -> None:
    """Try again while other programs lock the file.

    SQLite itself waits for a lock, unless it suspects a deadlock: for example, if several programs
    open a new file and each of them switches it to WAL.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
        time.sleep(0.005)


def _forbid_writing(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's own
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()
