"""Reads observation logs from a DB manager."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from api import names
from api.errors import RemoteError, Unavailable, UserError
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from serving.addresses import Address, parse_address
from serving.client_security import ClientSecurity
from serving.grpc_client import credentials_of
from suggestion.service.observation_reader import ObservationReader
from tests.dbmanager.access.guarded_server import (
    AUTHORITY,
    guarded,
    manager,
    numbered,
    sidecar,
)

Context = grpc.aio.ServicerContext[Any, Any]


class Manager(api_pb2_grpc.DBManagerServicer):
    """A DB manager with the log of one trial, of some values."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.asked: list[tuple[str, str]] = []
        self.metadata: dict[str, str] = {}

    async def GetObservationLog(  # noqa: N802 - the wire's name
        self, request: pb.GetObservationLogRequest, context: Context
    ) -> pb.GetObservationLogReply:
        self.asked.append((request.trial_name, request.metric_name))
        self.metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        if request.trial_name != "t-1":
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "two namespaces have it")
        entries = (
            pb.MetricLog(
                time_stamp="2026-01-31T12:00:00Z", metric=pb.Metric(name="loss", value=str(i))
            )
            for i in range(self._count)
        )
        return pb.GetObservationLogReply(observation_log=pb.ObservationLog(metric_logs=entries))


@asynccontextmanager
async def reading(manager: Manager) -> AsyncIterator[tuple[ObservationReader, Address]]:
    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    api_pb2_grpc.add_DBManagerServicer_to_server(manager, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    logs = ObservationReader(seconds=30)
    try:
        yield logs, Address(host="127.0.0.1", port=port)
    finally:
        await logs.close()
        await server.stop(None)


async def test_the_values_are_in_the_order_of_the_log() -> None:
    manager = Manager(3)
    async with reading(manager) as (logs, address):
        assert await logs.values(address, "", "t-1", "loss") == ["0", "1", "2"]

    assert manager.asked == [("t-1", "loss")]
    assert int(manager.metadata[names.MAX_REPLY_METADATA]) > 2**27


async def test_the_request_has_the_trials_namespace() -> None:
    manager = Manager(1)
    async with reading(manager) as (logs, address):
        await logs.values(address, "team", "t-1", "loss")
        assert manager.metadata[names.NAMESPACE_METADATA] == "team"

        await logs.values(address, "", "t-1", "loss")
        assert names.NAMESPACE_METADATA not in manager.metadata


async def test_a_log_of_many_mebibytes_is_read() -> None:
    async with reading(Manager(150_000)) as (logs, address):
        assert len(await logs.values(address, "", "t-1", "loss")) == 150_000


async def test_a_refusal_names_the_manager_and_its_message() -> None:
    async with reading(Manager(1)) as (logs, address):
        with pytest.raises(
            RemoteError, match=f"{address} did not return the log of t-2: FAILED_PREC"
        ) as e:
            await logs.values(address, "", "t-2", "loss")

    assert str(e.value).endswith("two namespaces have it")


async def test_a_manager_that_does_not_answer_is_unavailable() -> None:
    logs = ObservationReader(seconds=0.2)
    try:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 did not return the log of t-1"):
            await logs.values(Address(host="127.0.0.1", port=1), "", "t-1", "loss")
    finally:
        await logs.close()


async def test_no_other_manager_than_that_of_the_settings_is_called() -> None:
    manager = Manager(1)
    async with reading(manager) as (_, address):
        own = Address(host="db", port=1)
        logs = ObservationReader(only=own)
        with pytest.raises(UserError, match=f"{address} is not the DB manager .*, db:1"):
            await logs.values(address, "", "t-1", "loss")
        await logs.close()

    assert manager.asked == []


async def test_a_manager_with_tokens_is_called_over_tls_with_the_token_of_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.cert)
    (tmp_path / "token").write_text(manager()[1].removeprefix("Bearer "))
    security = ClientSecurity(ca=tmp_path / "ca.crt", token=tmp_path / "token")
    async with guarded() as server:
        point = ("2026-01-31T12:00:00Z", "loss", "0.5")
        await server.tls.report("trial-1", point, metadata=(sidecar(), *numbered()))
        address = parse_address(server.tls.address)
        assert address is not None
        logs = ObservationReader(credentials=credentials_of(security))
        assert await logs.values(address, "team-a", "trial-1", "loss") == ["0.5"]
        await logs.close()
