"""Group commit: requests that wait at the same time share one transaction.

A request that comes while no transaction runs is committed at once, alone. Requests that come
during a transaction wait, and the next transaction takes all of them, up to its limits. If a
transaction fails, each of its requests is tried alone, because only one of them may be wrong. If
the database is unavailable, all of them fail at once.

A large request is committed alone. If `commit` can run several transactions at the same time, small
requests do not wait for it.
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
Commit = Callable[[Sequence[R]], Awaitable[Sequence[T]]]
"""Does all requests in one transaction or none of them; returns one result for each request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is committed at once."""

    requests: int
    """In one transaction."""
    rows: int
    """A transaction with so many rows takes no more requests. A request with so many is large."""
    large: int
    """Large requests that are committed at the same time, each in its own transaction."""


class Batcher(Generic[R, T]):
    """Commits requests in batches. It has no task while no request waits."""

    def __init__(self, commit: Commit[R, T], limits: Limits) -> None:
        self._large_rows = limits.rows
        # One at a time: while it runs, many requests come together for the next one.
        self._small = _Queue(commit, workers=1, requests=limits.requests, rows=limits.rows)
        self._large = _Queue(commit, workers=limits.large, requests=1, rows=limits.rows)

    async def result(self, request: R, rows: int) -> T:
        """Commit a request of so many rows; return its result, or raise its error.

        Cancelling the caller does not cancel the request.
        """
        queue = self._small if rows < self._large_rows else self._large
        return await queue.result(request, rows)

    async def finish(self) -> None:
        """Wait until no request waits."""
        while workers := self._small.workers | self._large.workers:
            await asyncio.wait(workers)


@dataclass(slots=True, kw_only=True)
class _Waiting(Generic[R]):
    request: R
    rows: int
    done: asyncio.Future[Any]

    def succeed(self, result: object) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # marks it as read: a cancelled caller reads it no more


class _Queue(Generic[R, T]):
    """Requests in the order in which they came, and the tasks that commit them."""

    def __init__(self, commit: Commit[R, T], *, workers: int, requests: int, rows: int) -> None:
        self._commit = commit
        self._most_workers, self._most_requests, self._most_rows = workers, requests, rows
        self._waiting: deque[_Waiting[R]] = deque()
        self.workers: set[asyncio.Task[None]] = set()

    async def result(self, request: R, rows: int) -> T:
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(request=request, rows=rows, done=done))
        if len(self.workers) < self._most_workers:
            self.workers.add(asyncio.create_task(self._work()))
        result: T = await asyncio.shield(done)
        return result

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._commit_batch(self._next_batch())
        finally:
            # At once, not in a later step of the loop: a request in between starts a new worker.
            self.workers.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _next_batch(self) -> list[_Waiting[R]]:
        batch: list[_Waiting[R]] = []
        rows = 0
        while self._waiting and len(batch) < self._most_requests and rows < self._most_rows:
            batch.append(self._waiting.popleft())
            rows += batch[-1].rows
        return batch

    async def _commit_batch(self, batch: Sequence[_Waiting[R]]) -> None:
        try:
            results = await self._commit([waiting.request for waiting in batch])
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.done.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - each caller gets the error, whatever it is
            if isinstance(error, Unavailable) or len(batch) == 1:
                for waiting in batch:
                    waiting.fail(error)
                return
            for waiting in batch:
                await self._commit_batch([waiting])
        else:
            for waiting, result in zip(batch, results, strict=True):
                waiting.succeed(result)
