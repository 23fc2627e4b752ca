"""The connection to the database: opens it as soon as it answers, then watches it.

| state | a request gets | health says |
|---|---|---|
| not opened yet | `Unavailable`, with the cause of the last failure | NOT_SERVING |
| opened, and the last ping succeeded | the store | SERVING |
| opened, and the last ping failed | the store, because it may be back by now | NOT_SERVING |

A database that comes back is opened again: it may be another one, empty or older.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from api.backoff import Backoff
from api.errors import Unavailable
from dbmanager.store.contract import Store
from serving.logs import get_logger

_log = get_logger(__name__)

_BACKOFF = Backoff(first=0.1, longest=5.0, spread=0.5)
PING_SECONDS = 0.9
"""The time-out of a ping: less than the second that Kubernetes gives a probe."""

Sleep = Callable[[float], Awaitable[None]]


class Connection:
    """Opens and watches one store; remembers whether its database answers."""

    def __init__(
        self,
        store: Store,
        *,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        changed: Callable[[bool], None] = lambda _up: None,
    ) -> None:
        self._store = store
        self._sleep, self._jitter, self._changed = sleep, jitter, changed
        self._opened = self._up = False
        self._cause = "not tried yet"
        self._full = ""

    @property
    def store(self) -> Store:
        """The store, once it is open.

        Raises:
            Unavailable: it is not open; the message says why.
        """
        if not self._opened:
            raise Unavailable(f"the database is not available yet ({self._cause}): try again")
        return self._store

    @property
    def up(self) -> bool:
        """Whether the database answered the last ping."""
        return self._up

    @property
    def cause(self) -> str:
        """Why the database cannot be reached; empty after a successful ping."""
        return self._cause

    @property
    def full(self) -> str:
        """Why the database stores no more reports; empty if it does."""
        return self._full

    def note_room(self, full: str = "") -> None:
        """Remember whether the last report found room, and log it if that has changed."""
        if full and not self._full:
            _log.error("the database is full: reports are refused, deletes are not", cause=full)
        elif self._full and not full:
            _log.info("the database has room again")
        self._full = full

    async def watch(self, *, period: float = 2.0) -> None:
        """Open the store, and ping it every `period` seconds, for ever.

        Raises:
            SetupError: the database refuses, and waiting does not help.
        """
        while True:
            await self.open()
            while await self.alive():
                await self._sleep(period)

    async def open(self) -> None:
        """Open the store; while the database is unavailable, try again and again.

        Raises:
            SetupError: the database refuses, and waiting does not help.
        """
        for pause in _BACKOFF.waits(self._jitter):
            try:
                await self._store.open()
            except Unavailable as error:
                self._set_state(cause=str(error))
                await self._sleep(pause)
            else:
                self._opened = True
                self._set_state(cause=None)
                return

    async def alive(self) -> bool:
        """Ping; return whether the answer came in time."""
        if not self._opened:
            return False
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._store.ping()
        except TimeoutError:
            self._set_state(cause=f"no answer within {PING_SECONDS} s")
        except Unavailable as error:
            self._set_state(cause=str(error))
        else:
            self._set_state(cause=None)
        return self._up

    def _set_state(self, *, cause: str | None) -> None:
        """Remember the state, and log it if it has changed."""
        up = cause is None
        if up and not self._up:
            _log.info("connected to the database")
        elif cause is not None and (self._up or cause != self._cause):
            _log.warning("cannot reach the database", cause=cause)
        self._up, self._cause = up, cause or ""
        self._changed(up)
