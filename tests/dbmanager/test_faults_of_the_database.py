"""The database stops under load and starts again: writers that retry lose nothing."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.dbmanager.database_servers import (
    DatabaseServer,
    MariaDB,
    PostgreSQL,
    restart_later,
    running,
)
from tests.dbmanager.dbmanager_process import program
from tests.dbmanager.persistent_writers import (
    RETRIED,
    Writer,
    expected_logs,
    manager_at,
    stored,
    write_all,
    writers,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
AWAY_SECONDS = 1.5

ENDS = {
    PostgreSQL: {"stopped": signal.SIGINT, "crashed": signal.SIGQUIT},
    MariaDB: {"stopped": signal.SIGTERM, "crashed": signal.SIGKILL},
}


@pytest.fixture(scope="module", params=ENDS, ids=lambda kind: kind.kind)
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A real database server of one kind, which the tests may restart."""
    # `sync`: otherwise a crash of the database itself could lose rows.
    with running(request.param, sync=True) as server:
        yield server


class Health:
    """The health of the server, checked every 50 ms."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        any_channel: Any = channel
        self._stub: Any = health_pb2_grpc.HealthStub(any_channel)
        self.said: list[int] = []
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._asking = asyncio.create_task(self._ask())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._asking.cancel()
        await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        while True:
            reply = await self._stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
            async with self._changed:
                self.said.append(reply.status)
                self._changed.notify_all()
            await asyncio.sleep(0.05)

    async def says(self, status: int) -> None:
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: self.said[-1:] == [status])


@pytest.mark.leaves_behind(
    "process", "descriptor", reason="the database that was started anew serves the next test"
)
@pytest.mark.parametrize("way", ["stopped", "crashed"])
async def test_a_restart_of_the_database_reaches_no_writer_that_retries(
    server: DatabaseServer, tmp_path: Path, way: str
) -> None:
    how = ENDS[type(server)][way]
    database = server.url(await server.fresh_database())
    of = writers(random.Random(7), "under-load")
    with program(tmp_path, database) as manager:
        async with (
            manager_at(manager.address) as stub,
            grpc.aio.insecure_channel(manager.address) as channel,
            Health(channel) as health,
        ):
            await health.says(SERVING)
            begun = asyncio.Event()
            writing = asyncio.create_task(write_all(stub, of, 7, begun.set))
            await begun.wait()

            await restart_later(server, how, AWAY_SECONDS)

            assert NOT_SERVING in health.said
            met = await writing
            await health.says(SERVING)
            logs = {trial: await stored(stub, trial) for trial in expected_logs(of)}

    assert logs == expected_logs(of)
    assert met <= RETRIED
    assert met, "the database was restarted too late"
    assert set(health.said) == {SERVING, NOT_SERVING}


@pytest.mark.leaves_behind(
    "process", "descriptor", reason="the database that was started anew serves the next test"
)
async def test_a_manager_that_starts_before_its_database_serves_as_soon_as_the_database_answers(
    server: DatabaseServer, tmp_path: Path
) -> None:
    database = server.url(await server.fresh_database())
    await asyncio.to_thread(server.stop)
    of = [Writer(trial="early", source="first", batches=((("2026-01-31T12:00:00Z", "a", "1"),),))]
    with program(tmp_path, database) as manager:
        async with (
            manager_at(manager.address) as stub,
            grpc.aio.insecure_channel(manager.address) as channel,
            Health(channel) as health,
        ):
            await health.says(NOT_SERVING)
            writing = asyncio.create_task(write_all(stub, of, 0))
            await asyncio.to_thread(server.start)
            await health.says(SERVING)
            assert await writing == {grpc.StatusCode.UNAVAILABLE}
            assert await stored(stub, "early") == [*of[0].batches[0]]

    assert '"connected to the database"' in manager.log.read_text()
