"""Who is to be looked at when: the loop around the controller's driver."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from controller.reconcile.views import Key

Turn = Callable[[Key, datetime], Awaitable[datetime | None]]


class Turns:
    """Gives objects of one kind their turns, one at a time: when they have changed, or are due."""

    def __init__(self, turn: Turn, now: Callable[[], datetime]) -> None:
        self._turn, self._now = turn, now
        self._due: dict[Key, datetime] = {}
        self._woken = asyncio.Event()
        self.at_work = False

    @property
    def idle(self) -> bool:
        """Whether nobody is to be looked at now."""
        now = self._now()
        return not self.at_work and all(moment > now for moment in self._due.values())

    def wake(self, key: Key) -> None:
        """Look at an object soon."""
        self._due[key] = self._now()
        self._woken.set()

    async def run(self) -> None:
        """Give turns, for ever."""
        while True:
            self._woken.clear()
            now = self._now()
            for key in [key for key, moment in self._due.items() if moment <= now]:
                self.at_work = True
                del self._due[key]
                again = await self._turn(key, self._now())
                if again is not None:
                    self._due[key] = min(again, self._due.get(key, again))
                self.at_work = False
            await self._rest()

    async def _rest(self) -> None:
        soonest = min(self._due.values(), default=None)
        wait = None if soonest is None else max(0.0, (soonest - self._now()).total_seconds())
        # Not wait_for: before Python 3.12 it can lose a cancellation, and the loop would never end.
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._woken.wait()
