"""Writers that retry until every batch is stored, and the logs that the store must then have."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio

from api import names
from api.timestamps import from_micros
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc

Point = tuple[str, str, str]
"""Time stamp, metric, value."""

Manager: TypeAlias = Any
"""Katib's stub on an asynchronous channel; the generated types have only the synchronous one."""

RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.max_receive_message_length", -1),
)
_START = 1_790_000_000_000_000
_DEADLINE_SECONDS = 10.0
_PATIENCE_SECONDS = 60.0


@asynccontextmanager
async def manager_at(address: str) -> AsyncIterator[Manager]:
    """Yield Katib's stub on a channel that quickly reconnects to a restarted server."""
    async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
        untyped: Any = channel
        yield api_pb2_grpc.DBManagerStub(untyped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """One attempt of a trial, and its batches in the order of reports."""

    trial: str
    source: str
    batches: tuple[tuple[Point, ...], ...]

    async def write(
        self, stub: Manager, dice: random.Random, acknowledged: Callable[[], None] = lambda: None
    ) -> set[grpc.StatusCode]:
        """Report each batch until it is acknowledged, and some batches once more.

        Returns the codes of all errors.
        """
        met: set[grpc.StatusCode] = set()
        for number, batch in enumerate(self.batches, start=1):
            for _ in range(2 if dice.random() < 0.2 else 1):
                met |= await self._report(stub, number, batch)
                acknowledged()
        return met

    async def _report(
        self, stub: Manager, number: int, batch: Sequence[Point]
    ) -> set[grpc.StatusCode]:
        metadata = [
            (names.NAMESPACE_METADATA, "faults"),
            (names.SOURCE_METADATA, self.source),
            (names.SEQUENCE_METADATA, str(number)),
        ]
        if number == len(self.batches):
            metadata.append((names.OUTCOME_METADATA, names.OUTCOME_SUCCEEDED))
        request = request_of(self.trial, batch)
        met: set[grpc.StatusCode] = set()
        deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while True:
            try:
                await stub.ReportObservationLog(
                    request, metadata=metadata, timeout=_DEADLINE_SECONDS
                )
            except grpc.aio.AioRpcError as error:
                met.add(error.code())
                if error.code() not in RETRIED or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.01)
            else:
                return met


async def write_all(
    stub: Manager, of: Sequence[Writer], seed: int, acknowledged: Callable[[], None] = lambda: None
) -> set[grpc.StatusCode]:
    """Let all writers write at the same time; return the codes of all errors."""
    met = await asyncio.gather(
        *(
            writer.write(stub, random.Random(f"{seed}/{writer.source}"), acknowledged)
            for writer in of
        )
    )
    return set().union(*met)


def request_of(trial: str, batch: Sequence[Point]) -> pb.ReportObservationLogRequest:
    """Make the request of one batch."""
    log = pb.ObservationLog(
        metric_logs=[
            pb.MetricLog(time_stamp=stamp, metric=pb.Metric(name=name, value=value))
            for stamp, name, value in batch
        ]
    )
    return pb.ReportObservationLogRequest(trial_name=trial, observation_log=log)


def writers(dice: random.Random, prefix: str, *, count: int = 6) -> list[Writer]:
    """Make random writers: half of the trials have two attempts that write at the same time."""
    return [
        Writer(
            trial=f"{prefix}-{index * 2 // 3}",
            source=f"{prefix}-attempt-{index}",
            batches=_batches(dice, index),
        )
        for index in range(count)
    ]


def _batches(dice: random.Random, index: int) -> tuple[tuple[Point, ...], ...]:
    batches, step = [], 0
    for _ in range(dice.randint(8, 24)):
        size = dice.choice((0, 1, 7, 50, 400))
        batch = []
        for _ in range(size):
            # No two attempts share a time, so only one order is right.
            stamp = from_micros(_START + step * 1_000 + index)
            batch.append((stamp, dice.choice(("loss", "accuracy")), f"{dice.random():.6f}"))
            step += 1
        batches.append(tuple(batch))
    return tuple(batches)


def expected_logs(of: Sequence[Writer]) -> dict[str, list[Point]]:
    """Return what each trial's log must be, in the order of time."""
    logs: dict[str, list[Point]] = {}
    for writer in of:
        logs.setdefault(writer.trial, []).extend(p for batch in writer.batches for p in batch)
    return {trial: sorted(points, key=_moment) for trial, points in logs.items()}


def _moment(point: Point) -> tuple[str, str]:
    """Return a sort key by time: with all digits of the fraction, texts sort like times."""
    stamp = point[0].removesuffix("Z")
    second, _, fraction = stamp.partition(".")
    return second, fraction.ljust(6, "0")


async def opened(stub: Manager) -> None:
    """Return when the server has its database."""
    await stored(stub, "nobody's")


async def stored(stub: Manager, trial: str) -> list[Point]:
    """Return a trial's log from the server, as soon as the server has its database."""
    request = pb.GetObservationLogRequest(trial_name=trial)
    metadata = [(names.NAMESPACE_METADATA, "faults"), (names.MAX_REPLY_METADATA, str(2**30))]
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            reply = await stub.GetObservationLog(
                request, metadata=metadata, timeout=_PATIENCE_SECONDS, wait_for_ready=True
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                raise
        else:
            entries = reply.observation_log.metric_logs
            return [(entry.time_stamp, entry.metric.name, entry.metric.value) for entry in entries]
        await asyncio.sleep(0.05)
