"""Health reports the current state of the database, and never fails for a known service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from api.errors import SetupError, Unavailable
from dbmanager.server import Server
from dbmanager.service.connection import Connection
from tests.dbmanager.dbmanager_server import LOOPBACK, Client, client_of, refused, served
from tests.dbmanager.failing_store import FailingStore

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

KNOWN = [
    "",
    "grpc.health.v1.Health",
    "api.v1.beta1.DBManager",
    "trialwatch.v1.Observations",
]


async def health(client: Client, service: str = "") -> int:
    reply = await client.health.Check(health_pb2.HealthCheckRequest(service=service))
    status: int = reply.status
    return status


@pytest.mark.parametrize("service", KNOWN)
async def test_each_service_of_the_server_has_a_health(service: str) -> None:
    async with served(FailingStore()) as client:
        assert await health(client, service) == SERVING


async def test_an_unknown_service_is_not_found() -> None:
    words = '"manager.v1beta1.Suggestion" is not a service'
    async with served(FailingStore()) as client, refused(grpc.StatusCode.NOT_FOUND, words):
        await health(client, "manager.v1beta1.Suggestion")


async def test_before_the_database_answers_health_is_not_serving() -> None:
    async with served(FailingStore(), opened=False) as client:
        assert await health(client) == NOT_SERVING


async def test_health_follows_the_database() -> None:
    store = FailingStore()
    async with served(store) as client:
        store.failure = Unavailable("gone")
        assert await health(client) == NOT_SERVING
        store.failure = None
        assert await health(client) == SERVING


async def test_while_the_database_hangs_health_is_not_serving() -> None:
    store = FailingStore()
    async with served(store) as client:
        store.pause = 60.0
        assert await health(client) == NOT_SERVING


async def test_watching_health_gives_each_change_and_ends_with_the_server() -> None:
    store = FailingStore()
    connection = Connection(store)
    await connection.open()
    server = Server(connection, poll=0.01)
    address = server.listen(LOOPBACK)
    await server.start()
    async with client_of(address) as client:
        call = client.health.Watch(health_pb2.HealthCheckRequest())
        seen = [(await call.read()).status]
        store.failure = Unavailable("gone")
        seen.append((await call.read()).status)
        store.failure = None
        seen.append((await call.read()).status)
        # A read that starts after the end of the call returns nothing.
        last = asyncio.create_task(call.read())
        await server.stop(10.0)
        seen.append((await last).status)
        assert await call.code() is grpc.StatusCode.OK

    assert seen == [SERVING, NOT_SERVING, SERVING, NOT_SERVING]


async def test_watching_an_unknown_service_returns_unknown_and_stays_open() -> None:
    async with served(FailingStore()) as client:
        call = client.health.Watch(health_pb2.HealthCheckRequest(service="x"))
        assert (await call.read()).status == UNKNOWN
        call.cancel()


async def test_reflection_names_every_service() -> None:
    connection = Connection(FailingStore())
    server = Server(connection)
    address = server.listen(LOOPBACK)
    await server.start()
    async with grpc.aio.insecure_channel(str(address)) as channel:
        any_channel: object = channel
        stub = reflection_pb2_grpc.ServerReflectionStub(any_channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        [reply] = [reply async for reply in stub.ServerReflectionInfo(iter([request]))]
    await server.stop(1.0)
    named = {service.name for service in reply.list_services_response.service}

    assert named == {*KNOWN[1:], "grpc.reflection.v1alpha.ServerReflection"}


def _sleep_that(
    acts: Callable[[int], None],
) -> tuple[list[float], Callable[[float], Awaitable[None]]]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        acts(len(slept))
        await asyncio.sleep(0)

    return slept, sleep


async def test_it_tries_until_the_database_answers_and_logs_each_change_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = FailingStore()
    store.failure = Unavailable("connection refused")
    changes: list[bool] = []

    def comes_at_the_fourth(times: int) -> None:
        store.failure = None if times == 4 else store.failure

    slept, sleep = _sleep_that(comes_at_the_fourth)
    connection = Connection(store, sleep=sleep, jitter=lambda: 1.0, changed=changes.append)
    with caplog.at_level("INFO"):
        await connection.open()

    assert slept == [0.1, 0.2, 0.4, 0.8]
    assert changes == [False, False, False, False, True]
    assert [record.getMessage() for record in caplog.records] == [
        "cannot reach the database",
        "connected to the database",
    ]


async def test_a_database_that_comes_back_is_opened_again() -> None:
    store = FailingStore()

    def goes_and_comes(times: int) -> None:
        store.failure = Unavailable("gone") if times in {2, 3} else None
        if times == 6:
            raise asyncio.CancelledError

    _, sleep = _sleep_that(goes_and_comes)
    connection = Connection(store, sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        await connection.watch()

    assert store.opened == 2
    assert connection.up


async def test_a_set_up_error_ends_the_waiting_at_once() -> None:
    store = FailingStore()
    store.failure = SetupError("no permission to create a table")
    with pytest.raises(SetupError):
        await Connection(store).open()
