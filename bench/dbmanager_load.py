"""Clients of a DB manager: writers that report points, and a reader that measures its latency."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from api import names
from api.timestamps import from_micros
from api.trialwatchv1 import observations_pb2 as ours
from api.trialwatchv1 import observations_pb2_grpc
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from bench.dbmanager_references import Batch

START = 1_790_000_000_000_000
NAMESPACE = (names.NAMESPACE_METADATA, "bench")
_ANY_SIZE = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))


def batches_of(points: int, *, size: int = 1_000, trials: int = 8) -> list[Batch]:
    """Return batches: one trial after the other, two metrics, one millisecond between points."""
    dice = random.Random(1)  # noqa: S311 - data, no secret
    values = [f"{dice.random():.6f}" for _ in range(10_000)]
    return [
        (
            f"random-experiment-{number % trials:05d}",
            tuple(
                (
                    START + (number // trials * size + index) * 1_000,
                    "loss" if index % 2 else "accuracy",
                    values[(number * size + index) % len(values)],
                )
                for index in range(size)
            ),
        )
        for number in range(points // size)
    ]


def request_of(batch: Batch) -> pb.ReportObservationLogRequest:
    """Return the request that reports a batch."""
    trial, points = batch
    request = pb.ReportObservationLogRequest(trial_name=trial)
    add = request.observation_log.metric_logs.add
    for micros, metric, value in points:
        add(time_stamp=from_micros(micros), metric=pb.Metric(name=metric, value=value))
    return request


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The stubs of one channel; the generated types only cover the synchronous API."""

    manager: Any
    observations: Any

    async def report(self, request: pb.ReportObservationLogRequest, source: str, seq: int) -> None:
        """Report one batch as a collector does."""
        metadata = (
            NAMESPACE,
            (names.SOURCE_METADATA, source),
            (names.SEQUENCE_METADATA, str(seq)),
        )
        await self.manager.ReportObservationLog(request, metadata=metadata)

    async def database_opened(self) -> None:
        """Return once the server has its database."""
        request = pb.GetObservationLogRequest(trial_name="missing")
        for _ in range(200):
            try:
                await self.manager.GetObservationLog(request)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                await asyncio.sleep(0.05)
            else:
                return
        raise TimeoutError("the DB manager does not find its database")

    async def nothing(self, _trial: str) -> None:
        """Report nothing, to measure a call without the database."""
        request = pb.ReportObservationLogRequest(trial_name="missing")
        request.observation_log.SetInParent()
        await self.manager.ReportObservationLog(request, metadata=(NAMESPACE,))

    async def summary(self, trial: str) -> None:
        """Request the summary of all metrics."""
        request = ours.SummaryRequest(trial_name=trial)
        reply = await self.observations.Summary(request, metadata=(NAMESPACE,))
        if {metric.count for metric in reply.metrics} != {500}:
            raise AssertionError(f"{trial} has {reply}")

    async def objective(self, trial: str) -> None:
        """Request the log of one metric."""
        request = pb.GetObservationLogRequest(trial_name=trial, metric_name="accuracy")
        reply = await self.manager.GetObservationLog(request, metadata=(NAMESPACE,))
        if len(reply.observation_log.metric_logs) != 500:  # noqa: PLR2004 - half of the points
            raise AssertionError(f"{trial} has {len(reply.observation_log.metric_logs)} points")


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[Client]:
    """Connect."""
    # Separate pools: otherwise all channels of a process share one connection.
    options = (*_ANY_SIZE, ("grpc.use_local_subchannel_pool", 1))
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        untyped: Any = channel
        await channel.channel_ready()
        yield Client(
            manager=api_pb2_grpc.DBManagerStub(untyped),
            observations=observations_pb2_grpc.ObservationsStub(untyped),
        )


async def store_all(
    address: str, requests: Sequence[pb.ReportObservationLogRequest], writers: int
) -> float:
    """Report all points, each writer one report after the other; return the seconds."""

    async def write(number: int) -> None:
        async with client_of(address) as client:
            await ready.wait()
            for seq, request in enumerate(requests[number::writers], start=1):
                await client.report(request, f"writer-{number}", seq)

    ready = asyncio.Barrier(writers + 1)
    writing = [asyncio.create_task(write(number)) for number in range(writers)]
    await ready.wait()
    start = time.perf_counter()
    await asyncio.gather(*writing)
    return time.perf_counter() - start


@asynccontextmanager
async def under_load(address: str, writers: int, period: float, size: int) -> AsyncIterator[None]:
    """Run writers during the block; each reports one batch per `period` (seconds; 0: no pause)."""

    async def write(number: int) -> None:
        requests = [request_of(batch) for batch in batches_of(size * 4, size=size, trials=1)]
        for request in requests:
            request.trial_name = f"running-{number:03d}"
        await asyncio.sleep(period * number / writers)
        async with client_of(address) as client:
            for seq in range(1, 1_000_000):
                start = time.perf_counter()
                await client.report(requests[seq % len(requests)], f"{period}-{number}", seq)
                await asyncio.sleep(max(0.0, period - (time.perf_counter() - start)))

    writing = [asyncio.create_task(write(number)) for number in range(writers)]
    await asyncio.sleep(1.0)
    try:
        yield
    finally:
        failed = [task.exception() for task in writing if task.done()]
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        if failed:
            raise failed[0] or RuntimeError("a writer came to its end")


async def milliseconds(
    asks: Mapping[str, Callable[[str], Awaitable[None]]], trials: int, count: int
) -> dict[str, list[float]]:
    """Read random trials through each client in turn; return the sorted latencies."""
    dice = random.Random(2)  # noqa: S311 - a choice, no secret
    taken: dict[str, list[float]] = {name: [] for name in asks}
    for _ in range(count):
        trial = f"random-experiment-{dice.randrange(trials):05d}"
        for name, ask in asks.items():
            start = time.perf_counter()
            await ask(trial)
            taken[name].append((time.perf_counter() - start) * 1_000)
    return {name: sorted(of) for name, of in taken.items()}
