"""Gives each object its turns: when it has changed, and when its last turn said so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from controller.driver.reconcile_queue import ReconcileQueue
from controller.reconcile.views import Key

Reconcile = Callable[[Key, datetime], Awaitable[datetime | None]]
"""`Driver.experiment`, say: does what is due, and returns when to come again."""


def utc_now() -> datetime:
    """Return the date."""
    return datetime.now(UTC)


class ReconcileWorkers:
    """The turns of one kind of objects: any number side by side, never two of one object."""

    def __init__(
        self, turn: Reconcile, *, at_once: int, now: Callable[[], datetime] = utc_now
    ) -> None:
        """At most `at_once` objects have their turn at a time."""
        self._turn, self._now = turn, now
        self._queue: ReconcileQueue[Key] = ReconcileQueue(at_once)
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._interrupted: set[Key] = set()
        self._news = asyncio.Event()
        self._ending = False
        self._clock = asyncio.get_running_loop().time

    def add(self, key: Key, seconds: float = 0.0) -> None:
        """Let an object have a turn so much later."""
        self._queue.add(key, self._clock() + seconds)
        self._news.set()

    def interrupt(self, key: Key) -> None:
        """End the turn under way, if there is one, and give a new one at once."""
        task = self._running.get(key)
        if task is not None and key not in self._interrupted:
            self._interrupted.add(key)
            task.cancel()
        self.add(key)

    def depth(self) -> int:
        """Count the objects that wait for a turn which is due."""
        return self._queue.depth(self._clock())

    @property
    def idle(self) -> bool:
        """Whether no object has its turn, or waits for one that is due."""
        return not self._queue.in_work and not self.depth()

    def end(self) -> None:
        """Begin no more turns; `run` returns when those under way have ended."""
        self._ending = True
        self._news.set()

    async def run(self) -> None:
        """Give turns until `end`; cancelled, it cancels those under way.

        A turn that raises ends all, and what it raised is raised here.
        """
        try:
            async with asyncio.TaskGroup() as turns:
                while not self._ending:
                    self._news.clear()
                    while (key := self._queue.take(self._clock())) is not None:
                        turns.create_task(self._one(key))
                    await self._wait()
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _wait(self) -> None:
        """Wait for news (the end of a turn is some), or for the next moment."""
        moment = None if self._queue.is_full else self._queue.next_moment()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(moment):
                await self._news.wait()

    async def _one(self, key: Key) -> None:
        again: float | None = None
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine
        self._running[key] = task
        try:
            again = await self._timed(key)
        except asyncio.CancelledError:
            if key not in self._interrupted or task.uncancel() > 0:
                raise
            again = self._clock()
        finally:
            del self._running[key]
            self._interrupted.discard(key)
            self._queue.done(key, again)
            self._news.set()

    async def _timed(self, key: Key) -> float | None:
        """Give one turn, and return the moment of the next."""
        started, now = self._clock(), self._now()
        wake = await self._turn(key, now)
        if wake is None:
            return None
        # The wall clock may be set at any time; the distance to the moment is what counts.
        return started + max(0.0, (wake - now).total_seconds())
