"""Reconciles objects: when they have changed, and when their last reconcile asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from controller.driver.reconcile_queue import ReconcileQueue
from controller.reconcile.views import Key

Reconcile = Callable[[Key, datetime], Awaitable[datetime | None]]
"""Does what is due for an object; returns when to reconcile it again. `Driver.trial` is one."""


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


class ReconcileWorkers:
    """Reconciles objects of one kind: several concurrently, never one of them twice at a time."""

    def __init__(
        self, reconcile: Reconcile, *, at_once: int, now: Callable[[], datetime] = utc_now
    ) -> None:
        """At most `at_once` objects are reconciled at a time; `now` is the time of the cluster."""
        self._reconcile, self._now = reconcile, now
        self._queue: ReconcileQueue[Key] = ReconcileQueue(at_once)
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._interrupted: set[Key] = set()
        self._woken = asyncio.Event()
        self._ending = False
        self._clock = asyncio.get_running_loop().time

    def add(self, key: Key, seconds: float = 0.0) -> None:
        """Reconcile an object after so many seconds."""
        self._queue.add(key, self._clock() + seconds)
        self._woken.set()

    def interrupt(self, key: Key) -> None:
        """Cancel the running reconcile of an object, if any, and start a new one at once."""
        task = self._running.get(key)
        if task is not None and key not in self._interrupted:
            self._interrupted.add(key)
            task.cancel()
        self.add(key)

    def depth(self) -> int:
        """Count the objects that are due and wait."""
        return self._queue.depth(self._clock())

    @property
    def idle(self) -> bool:
        """Whether no object is being reconciled or due."""
        return not self._queue.in_work and not self.depth()

    def end(self) -> None:
        """Start no more reconciles; `run` returns when the running ones have ended."""
        self._ending = True
        self._woken.set()

    async def run(self) -> None:
        """Reconcile until `end` is called. If cancelled, it cancels the running reconciles.

        An error in a reconcile stops all of them, and is raised here.
        """
        try:
            async with asyncio.TaskGroup() as reconciles:
                while not self._ending:
                    self._woken.clear()
                    while (key := self._queue.take(self._clock())) is not None:
                        reconciles.create_task(self._run_one(key))
                    await self._wait()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _wait(self) -> None:
        """Wait until the queue changes, a reconcile ends, or the next object is due."""
        moment = None if self._queue.is_full else self._queue.next_moment()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(moment):
                await self._woken.wait()

    async def _run_one(self, key: Key) -> None:
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
            self._woken.set()

    async def _timed(self, key: Key) -> float | None:
        """Reconcile one object; return when it is due next, by the loop's clock."""
        started, now = self._clock(), self._now()
        wake = await self._reconcile(key, now)
        if wake is None:
            return None
        # The wall clock may be changed at any time, so only the difference counts.
        return started + max(0.0, (wake - now).total_seconds())
