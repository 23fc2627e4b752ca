"""Gathers those who wait into one transaction: under load many share one commit.

A request that comes while nobody works is worked on at once, alone. Those that come meanwhile
wait, and the next round takes all of them. Where a round fails, each of its requests is tried
alone, since one of them may be the only one at fault; unless the database is away, which is so for
all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from api.errors import Unavailable

R = TypeVar("R")
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class _Waiting(Generic[R]):
    request: R
    weight: int
    done: asyncio.Future[Any]

    def succeed(self, result: object) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # who asked may have gone: then nobody else looks at it


class Gathering(Generic[R, T]):
    """Works in rounds, some of them at the same time; has no task while nobody waits."""

    def __init__(
        self,
        work: Callable[[Sequence[R]], Awaitable[Sequence[T]]],
        *,
        rounds: int,
        requests: int,
        weight: int,
    ) -> None:
        """Set the limits.

        Args:
            work: does what a round's requests ask for, all or nothing; returns a result for each.
            rounds: how many may be worked on at the same time.
            requests: how many a round takes.
            weight: after how much of it a round takes no more.
        """
        self._work = work
        self._rounds, self._requests, self._weight = rounds, requests, weight
        self._waiting: deque[_Waiting[R]] = deque()
        self._workers: set[asyncio.Task[None]] = set()

    async def result(self, request: R, weight: int) -> T:
        """Wait for a request's round; return its result, or raise its error."""
        waiting = _Waiting(
            request=request, weight=weight, done=asyncio.get_running_loop().create_future()
        )
        self._waiting.append(waiting)
        if len(self._workers) < self._rounds:
            self._workers.add(asyncio.create_task(self._run()))
        # Who is cancelled does not take back what is on its way.
        result: T = await asyncio.shield(waiting.done)
        return result

    async def finish(self) -> None:
        """Return once nobody waits."""
        while self._workers:
            await asyncio.wait(self._workers)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._round(self._taken())
        finally:
            # At once, and not when the loop gets to it: who comes in between starts another.
            self._workers.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _taken(self) -> list[_Waiting[R]]:
        taken: list[_Waiting[R]] = []
        weight = 0
        while self._waiting and len(taken) < self._requests and weight < self._weight:
            taken.append(self._waiting.popleft())
            weight += taken[-1].weight
        return taken

    async def _round(self, taken: Sequence[_Waiting[R]]) -> None:
        try:
            results = await self._work([waiting.request for waiting in taken])
        except asyncio.CancelledError:
            for waiting in taken:
                waiting.done.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked has to hear of it
            if isinstance(error, Unavailable) or len(taken) == 1:
                for waiting in taken:
                    waiting.fail(error)
                return
            for waiting in taken:
                await self._round([waiting])
        else:
            for waiting, result in zip(taken, results, strict=True):
                waiting.succeed(result)
