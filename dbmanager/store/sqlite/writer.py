"""The one thread that writes to a file of SQLite, and gathers who waits into one transaction."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_MOST_AT_ONCE = 512
"""Requests in one transaction; whoever comes later waits for the next."""

Write = Callable[[sqlite3.Connection], Any]
"""Writes within a transaction; does neither begin nor end it."""


@dataclass(slots=True, kw_only=True)
class _Request:
    write: Write
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]
    result: object = None

    def settle(self, error: Exception | None) -> None:
        """Tell who asked, from the writer's thread."""
        # A loop that has ended has nobody who waits.
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._settle, error)

    def _settle(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(self.result)
        else:
            self.done.set_exception(error)
            self.done.exception()  # who asked may have gone: then nobody else looks at it


class Writer:
    """Owns the connection from here on."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def write(self, write: Write) -> object:
        """Run `write` in a transaction; return what it returned, once that is on the disk."""
        loop = asyncio.get_running_loop()
        request = _Request(write=write, loop=loop, done=loop.create_future())
        self._requests.put(request)
        # Who is cancelled does not take back what is on its way.
        return await asyncio.shield(request.done)

    def close(self) -> None:
        """Do what was asked so far, then close the connection."""
        self._requests.put(None)
        self._thread.join()

    def _run(self) -> None:
        while requests := self._gathered():
            self._commit(requests)
            requests.clear()  # lest the last rows are held until the next ones come
        self._connection.close()

    def _gathered(self) -> list[_Request]:
        """Wait for requests and return all there are; none at the end."""
        gathered: list[_Request] = []
        request = self._requests.get()
        while request is not None:
            gathered.append(request)
            if len(gathered) == _MOST_AT_ONCE or self._requests.empty():
                return gathered
            request = self._requests.get()
        if gathered:
            self._requests.put(None)  # the end comes after these
        return gathered

    def _commit(self, requests: list[_Request]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for request in requests:
                request.result = request.write(self._connection)
            self._connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked has to hear of it
            self._roll_back()
            if len(requests) == 1:
                requests[0].settle(error)
                return
            for request in requests:  # one of them may be the only one at fault
                self._commit([request])
        else:
            for request in requests:
                request.settle(None)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            # A disk that is full may have rolled back by itself.
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
