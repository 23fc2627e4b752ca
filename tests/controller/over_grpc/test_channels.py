"""Channels to services: one for each address, closed when unused, never during a call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import grpc
import grpc.aio
import pytest

from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from api.wire.experiments import experiment_to_wire
from controller.over_grpc.channels import Channels, dial, dial_own
from serving.client_security import ClientSecurity
from serving.grpc_client import credentials_of
from tests.controller.katib_search_service import KatibSearchService, katib_search_service
from tests.dbmanager.access.guarded_server import AUTHORITY, manager
from tests.suggestion.controller_requests import experiment
from tests.suggestion.guarded_service import guarded_service


class Opened:
    """Opens real channels, and remembers them."""

    def __init__(self) -> None:
        self.channels: list[tuple[str, grpc.aio.Channel]] = []
        self.seconds = 0.0

    def open_to(self, address: str) -> grpc.aio.Channel:
        channel = dial(address)
        self.channels.append((address, channel))
        return channel

    def clock(self) -> float:
        return self.seconds

    @property
    def closed(self) -> list[str]:
        shut = grpc.ChannelConnectivity.SHUTDOWN
        return [address for address, channel in self.channels if channel.get_state() is shut]


@pytest.fixture
def opened() -> Iterator[Opened]:
    opened = Opened()
    yield opened
    opened.channels.clear()  # each holds on to gRPC's thread


async def test_an_address_has_one_channel(opened: Opened) -> None:
    channels = Channels(opened.clock, opened.open_to)
    async with channels.to("a:1") as first, channels.to("a:1") as second, channels.to("b:1"):
        assert first is second
    async with channels.to("a:1") as third:
        assert third is first

    assert [address for address, _ in opened.channels] == ["a:1", "b:1"]
    await channels.close()
    assert opened.closed == ["a:1", "b:1"]


async def test_a_channel_that_was_unused_for_a_while_is_closed(opened: Opened) -> None:
    channels = Channels(opened.clock, opened.open_to, idle_seconds=60)
    async with channels.to("old:1"):
        pass
    opened.seconds = 59
    async with channels.to("new:1"):
        pass
    assert opened.closed == []

    opened.seconds = 61
    async with channels.to("new:1"):
        pass
    assert opened.closed == ["old:1"]
    assert len(channels) == 1
    await channels.close()


async def test_of_too_many_the_longest_unused_are_closed(opened: Opened) -> None:
    channels = Channels(opened.clock, opened.open_to, max_idle=2)
    for address in ("a:1", "b:1", "a:1", "c:1", "d:1"):
        async with channels.to(address):
            pass

    assert opened.closed == ["a:1", "b:1"]
    await channels.close()


async def test_one_in_use_is_never_closed(opened: Opened) -> None:
    channels = Channels(opened.clock, opened.open_to, idle_seconds=1, max_idle=1)
    async with channels.to("busy:1"):
        opened.seconds = 1000
        for number in range(5):
            async with channels.to(f"other:{number}"):
                pass
        assert "busy:1" not in opened.closed
    await channels.close()


async def test_only_our_own_service_gets_the_token_and_other_services_are_called_as_before(
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.crt").write_bytes(AUTHORITY.cert)
    (tmp_path / "token").write_text(manager()[1].removeprefix("Bearer "))
    security = ClientSecurity(
        flags="--suggestion", ca=tmp_path / "ca.crt", token=tmp_path / "token"
    )
    asked = pb.ValidateAlgorithmSettingsRequest(experiment=experiment_to_wire(experiment()))
    async with (
        guarded_service() as ours,
        katib_search_service(theirs := KatibSearchService()) as their_address,
    ):
        dial_service = dial_own(ours.tls.address, credentials_of(security))
        for address in (ours.tls.address, their_address):
            async with dial_service(address) as channel:
                stub: Any = api_pb2_grpc.SuggestionStub(cast("Any", channel))
                await stub.ValidateAlgorithmSettings(asked)
    assert theirs.validated == 1
