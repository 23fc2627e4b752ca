"""Hands calls to workers: in turn by namespace, within their time, and only while they are wanted.

| a call | ends with | and the worker |
|---|---|---|
| finds too many waiting | QueueFullError | - |
| waits until its deadline | SearchTimeoutError | - |
| waits, and its caller goes away | cancellation | - |
| runs longer than its deadline or `seconds` | SearchTimeoutError | is killed |
| runs, and its caller goes away | cancellation | is killed |
| needs too much memory | SearchMemoryError | has ended |

Each namespace has at most one running call. So a namespace cannot occupy two workers, whatever it
asks for, and another namespace finds a worker as long as there are more workers than namespaces
with a slow search.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from suggestion.service.metrics import Metrics
from suggestion.service.searches import (
    Began,
    Job,
    QueueFullError,
    SearchMemoryError,
    SearchTimeoutError,
)
from suggestion.workers.fair_queue import FairQueue, QueueBounds

_MOST_SECONDS = 300.0
"""Of a call without a deadline, with the time that it waits; the controller waits as long."""


class WorkerDiedError(Exception):
    """A worker ended during a call, though the service had not killed it."""


class Worker(Protocol):
    """Does one call at a time."""

    async def run(self, job: Job, began: Callable[[Began], None]) -> bytes:
        """Return the reply; `began` is called when the request is decoded.

        Raises:
            UserError: the request is wrong.
            SetupError: the algorithm's package is broken.
            SearchMemoryError: the search needs more memory than the worker may use.
            WorkerDiedError: the worker ended.
        """

    async def kill(self) -> None:
        """End the call that runs, if there is one, and return when the worker has ended.

        The next `run` starts it again.
        """


@dataclass(slots=True, eq=False)
class _Call:
    job: Job
    ends: float
    """The deadline, by the loop's clock."""
    worker: asyncio.Future[Worker] = field(default_factory=asyncio.Future)
    began: Began | None = None

    def __str__(self) -> str:
        namespace = self.job.namespace or "(none)"
        if self.began is None:
            return f"a call of namespace {namespace}"
        name = f"experiment {self.began.experiment} of namespace {namespace}"
        if not self.began.points:
            return f"the validation of {name}"
        return (
            f"{name}: the search {self.began.algorithm} for {self.began.points} points"
            f" after {self.began.trials} trials"
        )


class SearchPool:
    """`suggestion.service.searches.Searches`, by workers."""

    def __init__(
        self,
        workers: Sequence[Worker],
        metrics: Metrics,
        *,
        seconds: float,
        bounds: QueueBounds | None = None,
    ) -> None:
        """Make it; `seconds` is the longest time of one search."""
        self._workers, self._idle = workers, list(workers)
        self._metrics, self._seconds = metrics, seconds
        self._waiting: FairQueue[_Call] = FairQueue(bounds or QueueBounds())
        self._busy: set[str] = set()
        self.abandoned = 0
        """Running searches whose caller has gone."""

    async def run(self, job: Job, seconds: float | None) -> bytes:
        """Return the reply; the port says what is raised."""
        now = asyncio.get_running_loop().time()
        left = _MOST_SECONDS if seconds is None else min(seconds, _MOST_SECONDS)
        call = _Call(job, now + left)
        worker = await self._wait(call)
        try:
            return await self._search(worker, call)
        finally:
            self._free(worker, call)

    async def close(self) -> None:
        """End all workers."""
        await asyncio.gather(*(worker.kill() for worker in self._workers))

    async def _wait(self, call: _Call) -> Worker:
        """Return the worker that the call has to itself."""
        try:
            self._waiting.put(call.job.namespace, call, len(call.job.request))
        except QueueFullError:
            self._metrics.dropped("queue_full")
            raise
        self._hand_out()
        try:
            async with asyncio.timeout_at(call.ends):
                return await call.worker
        except TimeoutError:
            self._give_up(call, "deadline")
            raise SearchTimeoutError(
                f"{call} waited for a worker until its deadline: other searches took all the time;"
                " ask again later"
            ) from None
        except asyncio.CancelledError:
            self._give_up(call, "abandoned")
            raise

    def _give_up(self, call: _Call, reason: str) -> None:
        self._metrics.dropped(reason)
        if call.worker.done() and not call.worker.cancelled():
            self._free(call.worker.result(), call)
        else:
            self._waiting.remove(call.job.namespace, call)
            self._count()

    async def _search(self, worker: Worker, call: _Call) -> bytes:
        def note(began: Began) -> None:
            call.began = began

        most = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(min(most, call.ends)):
                return await worker.run(call.job, note)
        except TimeoutError:
            self._metrics.killed("deadline")
            await worker.kill()
            raise SearchTimeoutError(self._too_slow(call, limited=most <= call.ends)) from None
        except asyncio.CancelledError:
            self.abandoned += 1
            self._metrics.killed("abandoned")
            await worker.kill()
            raise
        except SearchMemoryError as error:
            self._metrics.killed("memory")
            raise SearchMemoryError(
                f"{call} needs too much memory: {error}; write smaller settings, a shorter list of"
                " values or fewer parameters, or give the suggestion service more memory"
            ) from None
        except WorkerDiedError as error:
            self._metrics.killed("died")
            raise WorkerDiedError(f"{call}: {error}") from None

    def _too_slow(self, call: _Call, *, limited: bool) -> str:
        limit = f"{self._seconds:g} s (--search-timeout)" if limited else "the call's deadline"
        return (
            f"{call} did not end within {limit} and was stopped; ask for fewer points at a time"
            " (spec.parallelTrialCount), write smaller settings, or take a faster algorithm"
        )

    def _hand_out(self) -> None:
        """Give the idle workers to the next calls: first the worker that was used last."""
        while self._idle:
            call = self._waiting.next(self._busy)
            if call is None:
                break
            if call.worker.done():  # its caller has just gone
                continue
            self._busy.add(call.job.namespace)
            call.worker.set_result(self._idle.pop())
        self._count()

    def _free(self, worker: Worker, call: _Call) -> None:
        self._busy.discard(call.job.namespace)
        self._waiting.served(call.job.namespace)
        self._idle.append(worker)
        self._hand_out()

    def _count(self) -> None:
        self._metrics.calls(waiting=len(self._waiting), running=len(self._busy))
