"""The only thread that writes to an SQLite file."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbmanager.store.batcher import Batcher, Limits
from dbmanager.store.sql_errors import translated_errors

_LIMITS = Limits(requests=512, rows=20_000, large=1)

Write = Callable[[sqlite3.Connection], Any]
"""Writes within a transaction; neither begins nor ends it."""


class Writer:
    """Writes in batches (`store.batcher`), over one connection that it owns."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        name: str,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Take over a connection.

        `name` is how messages call the database; `check` raises an error if the file is not at its
        path any more.
        """
        self._connection, self._name, self._check = connection, name, check
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._batcher: Batcher[Write, Any] = Batcher(self._commit, _LIMITS)

    async def write(self, write: Write, rows: int) -> Any:  # noqa: ANN401 - what the write returns
        """Run `write`, which stores so many rows; return its result once it is on the disk.

        Raises:
            Unavailable: the file is locked, the disk is full, or the like.
        """
        return await self._batcher.result(write, rows)

    async def checkpoint(self) -> None:
        """Move all that is in the WAL into the database file, and empty the WAL."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._move_wal)

    async def close(self) -> None:
        """Finish all writes, then close the connection."""
        await self._batcher.finish()
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    async def _commit(self, writes: Sequence[Write]) -> Sequence[Any]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._transaction, writes)

    def _transaction(self, writes: Sequence[Write]) -> Sequence[Any]:
        try:
            with translated_errors(self._name):
                self._check()
                self._connection.execute("BEGIN IMMEDIATE")
                results = [write(self._connection) for write in writes]
                self._connection.execute("COMMIT")
                self._check()  # once more: only what is in the file at this path is acknowledged
        except Exception:
            self._roll_back()
            raise
        return results

    def _move_wal(self) -> None:
        with translated_errors(self._name):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            # SQLite may have rolled back by itself, as when the disk is full.
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
