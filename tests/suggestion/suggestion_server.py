"""The suggestion service in this process, with a store that a test fills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio

from api.errors import RemoteError, UserError
from api.v1beta1 import api_pb2_grpc
from serving.addresses import Address
from suggestion.server import Server
from suggestion.service.metrics import Metrics
from suggestion.service.search_calls import CALLS
from suggestion.service.searches import Began, Job, Searches, SearchTimeoutError
from suggestion.workers.pool import SearchPool
from suggestion.workers.worker_process import WorkerProcess

MEMORY = 512 << 20
"""Bytes of a worker."""
SECONDS = 120.0
"""Of a search."""


@dataclass(slots=True)
class Rim:
    """What the service uses from outside: logs by trial, and the trials that it marks."""

    logs: dict[str, list[str]] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)

    async def values(
        self, manager: Address, namespace: str, trial: str, metric: str
    ) -> Sequence[str]:
        if namespace:
            trial = f"{namespace}/{trial}"
        if trial not in self.logs:
            raise RemoteError(f"{manager} has no {metric} of {trial}")
        self.reads.append(trial)
        return self.logs[trial]

    async def mark(self, namespace: str, trial: str) -> None:
        if trial == "absent":
            raise UserError("trial_name: there is no trial default/absent")
        self.marked.append(f"{namespace}/{trial}" if namespace else trial)


@dataclass(frozen=True, slots=True)
class Client:
    """Stubs of one channel, and the fakes behind the server."""

    rim: Rim
    channel: grpc.aio.Channel
    suggestion: Any
    stopping: Any
    address: str
    workers: Sequence[WorkerProcess]
    metrics: Metrics

    def value(self, name: str, **labels: str) -> float | None:
        """Return a metric of the service."""
        return self.metrics.registry.get_sample_value(f"trialwatch_suggestion_{name}", labels)


class SearchesHere:
    """`Searches` in this process, for tests that replace a part of an algorithm."""

    async def run(self, job: Job, seconds: float | None) -> bytes:
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.to_thread(CALLS[job.method], job.request, _ignored)
        except TimeoutError:
            raise SearchTimeoutError("the search did not end in time") from None


def _ignored(_: Began) -> None:
    """Take what a search is busy with."""


@asynccontextmanager
async def serving(
    rim: Rim | None = None,
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    searches: Searches | None = None,
    checkpoints: Path | None = None,
) -> AsyncIterator[Client]:
    """Serve on a free port of this machine, with two workers.

    Args:
        rim: what the service uses from outside.
        seconds: the longest time of a search.
        memory: of a worker, in bytes.
        searches: does the searches in place of the workers.
        checkpoints: the directory of the checkpoints of trials.
    """
    rim, metrics = rim or Rim(), Metrics()
    workers = [WorkerProcess(memory, seconds, checkpoints) for _ in range(2)]
    pool = SearchPool(workers, metrics, seconds=seconds)
    server = Server(searches or pool, rim, rim.mark)
    address = server.listen(Address(host="127.0.0.1", port=0))
    await server.start()
    try:
        async with grpc.aio.insecure_channel(str(address)) as channel:
            yield Client(
                rim,
                channel,
                api_pb2_grpc.SuggestionStub(channel),
                api_pb2_grpc.EarlyStoppingStub(channel),
                str(address),
                workers,
                metrics,
            )
    finally:
        await server.stop(5)
        await pool.close()
