"""A DB manager's server in this process, on a real socket, and a client for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2_grpc

from api.trialwatchv1 import observations_pb2_grpc
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from dbmanager.server import Server
from dbmanager.service.connection import Connection
from dbmanager.service.metrics import Metrics
from dbmanager.store.contract import Store
from serving.addresses import Address

LOOPBACK = Address(host="127.0.0.1", port=0)
LARGE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

Metadata = Sequence[tuple[str, str]]


def log(*points: tuple[str, str, str]) -> pb.ObservationLog:
    """Make a log of (time stamp, name, value)."""
    entries = [
        pb.MetricLog(time_stamp=stamp, metric=pb.Metric(name=name, value=value))
        for stamp, name, value in points
    ]
    return pb.ObservationLog(metric_logs=entries)


def points(of: pb.ObservationLog | Iterable[pb.MetricLog]) -> list[tuple[str, str, str]]:
    """Return a log as (time stamp, name, value)."""
    entries = of.metric_logs if isinstance(of, pb.ObservationLog) else of
    return [(entry.time_stamp, entry.metric.name, entry.metric.value) for entry in entries]


class Client:
    """The stubs of all services, and shortcuts for the most used calls."""

    def __init__(self, channel: grpc.aio.Channel, address: str = "") -> None:
        self.address = address
        # The types of the generated stubs have only the synchronous channel.
        self.channel: Any = channel
        any_channel = self.channel
        self.manager: Any = api_pb2_grpc.DBManagerStub(any_channel)
        self.observations: Any = observations_pb2_grpc.ObservationsStub(any_channel)
        self.health: Any = health_pb2_grpc.HealthStub(any_channel)

    async def report(self, trial: str, *of: tuple[str, str, str], metadata: Metadata = ()) -> None:
        request = pb.ReportObservationLogRequest(trial_name=trial, observation_log=log(*of))
        await self.manager.ReportObservationLog(request, metadata=metadata)

    async def get(
        self, trial: str, *, metadata: Metadata = (), **asked: str
    ) -> list[tuple[str, str, str]]:
        request = pb.GetObservationLogRequest(trial_name=trial, **asked)
        reply = await self.manager.GetObservationLog(request, metadata=metadata)
        assert reply.HasField("observation_log")
        return points(reply.observation_log)

    async def delete(self, trial: str, *, metadata: Metadata = ()) -> None:
        request = pb.DeleteObservationLogRequest(trial_name=trial)
        await self.manager.DeleteObservationLog(request, metadata=metadata)


@asynccontextmanager
async def client_of(
    address: object, credentials: grpc.ChannelCredentials | None = None
) -> AsyncIterator[Client]:
    """Connect to a server."""
    if credentials is None:
        channel = grpc.aio.insecure_channel(str(address), options=LARGE)
    else:
        channel = grpc.aio.secure_channel(str(address), credentials, options=LARGE)
    async with channel:
        yield Client(channel, str(address))


@asynccontextmanager
async def served(
    store: Store,
    *,
    opened: bool = True,
    metrics: Metrics | None = None,
    **settings: Any,  # noqa: ANN401 - those of `Server`
) -> AsyncIterator[Client]:
    """Serve a store, and connect to it."""
    connection = Connection(store)
    if opened:
        await connection.open()
    server = Server(connection, metrics, **settings)
    address = server.listen(LOOPBACK)
    await server.start()
    try:
        async with client_of(address) as client:
            yield client
    finally:
        await server.stop(1.0)
        await store.close()


@asynccontextmanager
async def refused(code: grpc.StatusCode, *words: str) -> AsyncIterator[None]:
    """Assert that a call fails with this code, and a sentence that has these words."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    assert caught.value.code() is code, caught.value
    for word in words:
        assert word in (caught.value.details() or "")
