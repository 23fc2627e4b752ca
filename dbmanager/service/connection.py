"""The way to the database: opened when it comes, watched while it is there.

| state | a request gets | health says |
|---|---|---|
| not opened yet | `Unavailable`, with what the last attempt met | NOT_SERVING |
| opened, and the last ping was answered | the store | SERVING |
| opened, and the last ping was not | the store, which may be back by now | NOT_SERVING |

When a database comes back it is opened once more: it may be another one, empty or older.
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
"""What a ping may take: less than the second that Kubernetes gives a probe."""

Sleep = Callable[[float], Awaitable[None]]


class Connection:
    """Knows whether there is a database; `keep` finds out."""

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
        self._cause = "it was not tried yet"

    @property
    def store(self) -> Store:
        """The store, once it was opened.

        Raises:
            Unavailable: it was not; the message says why.
        """
        if not self._opened:
            raise Unavailable(f"the database is not there yet ({self._cause}): ask again soon")
        return self._store

    @property
    def up(self) -> bool:
        """Whether the database answered when it was last looked at."""
        return self._up

    async def keep(self, *, period: float = 2.0) -> None:
        """Open the store and watch it, for ever.

        Raises:
            SetupError: waiting will not help.
        """
        while True:
            await self.open()
            while await self.alive():
                await self._sleep(period)

    async def open(self) -> None:
        """Open the store, as often as it takes.

        Raises:
            SetupError: waiting will not help.
        """
        for pause in _BACKOFF.waits(self._jitter):
            try:
                await self._store.open()
            except Unavailable as error:
                self._note(cause=str(error))
                await self._sleep(pause)
            else:
                self._opened = True
                self._note(cause=None)
                return

    async def alive(self) -> bool:
        """Ping, and say whether there was an answer in time."""
        if not self._opened:
            return False
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._store.ping()
        except TimeoutError:
            self._note(cause=f"no answer within {PING_SECONDS} s")
        except Unavailable as error:
            self._note(cause=str(error))
        else:
            self._note(cause=None)
        return self._up

    def _note(self, *, cause: str | None) -> None:
        """Remember what was found; say it once, not at every look."""
        up = cause is None
        if up and not self._up:
            _log.info("connected to the database")
        elif cause is not None and (self._up or cause != self._cause):
            _log.warning("cannot reach the database", cause=cause)
        self._up, self._cause = up, cause or ""
        self._changed(up)
