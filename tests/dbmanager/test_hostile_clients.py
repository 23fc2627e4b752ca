"""Clients that attack a DB manager: it stays within its memory, and answers honest clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import yaml

from api.names import MAX_REPLY_METADATA
from api.report_limits import LARGEST_MESSAGE, LONGEST_VALUE, MOST_POINTS
from api.trialwatchv1 import observations_pb2 as ours
from api.v1beta1 import api_pb2 as pb
from serving.call_limits import Limits
from tests.dbmanager.dbmanager_process import Program, program
from tests.dbmanager.dbmanager_server import Client, client_of, log
from tests.dbmanager.other_client import relay_from
from tests.dbmanager.persistent_writers import opened
from tests.polling import eventually

DEPLOYMENT = Path(__file__).parents[2] / "manifests/base/dbmanager/deployment.yaml"
REPORT = "/api.v1.beta1.DBManager/ReportObservationLog"
GET = "/api.v1.beta1.DBManager/GetObservationLog"
MIB = 1 << 20
HONEST = 40
"""Reports of the honest client during an attack."""
CROWD = 32
"""Addresses of a crowd of attackers."""
LIMITS = Limits()
Code = grpc.StatusCode


def memory_limit() -> int:
    """Return the bytes that the manifest allows the DB manager."""
    [container] = yaml.safe_load(DEPLOYMENT.read_text())["spec"]["template"]["spec"]["containers"]
    text: str = container["resources"]["limits"]["memory"]
    assert text.endswith("Mi")
    return int(text[:-2]) * MIB


def peak_memory(pid: int) -> int:
    """Return the most bytes that a process has had in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def empty_points(count: int) -> bytes:
    """Return a report of so many points without any field: two bytes each."""
    entries = b"\x0a\x00" * count
    return b"\x0a\x01t\x12" + _varint(len(entries)) + entries


def _varint(number: int) -> bytes:
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes((*groups, number))


async def code_of(call: Any) -> tuple[grpc.StatusCode, str]:  # noqa: ANN401 - any kind of call
    """Return how a call ends."""
    return await call.code(), await call.details() or ""


class Attacker:
    """A client that sends what it likes."""

    def __init__(self, client: Client) -> None:
        self.client, self._channel = client, client.channel
        self.over = asyncio.Event()
        self.ended: list[tuple[grpc.StatusCode, str]] = []

    async def send(self, method: str, data: bytes, **how: Any) -> None:  # noqa: ANN401 - gRPC's own
        """Send bytes as a request."""
        call = self._channel.unary_unary(method)(data, **how)
        self.ended.append(await code_of(call))

    def open_without_a_request(self, method: str) -> Any:  # noqa: ANN401 - gRPC's own
        """Open a call, and never send its request."""

        async def never() -> AsyncIterator[bytes]:
            await self.over.wait()
            for nothing in list[bytes]():
                yield nothing

        return self._channel.stream_unary(method)(never())

    def codes(self) -> set[grpc.StatusCode]:
        return {code for code, _ in self.ended}


@asynccontextmanager
async def attacked(tmp_path: Path) -> AsyncIterator[tuple[Program, Attacker, Client]]:
    """Yield a DB manager with an attacker and an honest client of another address."""
    with program(tmp_path, f"sqlite:///{tmp_path}/attacked.db") as manager:
        async with (
            relay_from("127.0.0.9", manager.address) as relay,
            client_of(relay) as attacker,
            client_of(manager.address) as honest,
        ):
            await opened(honest.manager)
            await honest.report("honest", ("2026-01-31T12:00:00Z", "loss", "0"))
            yield manager, Attacker(attacker), honest


async def honest_reports(client: Client, attack: Coroutine[Any, Any, None]) -> None:
    """Report while an attack runs, then read all of it."""
    attacking = asyncio.create_task(attack)
    await asyncio.sleep(0)
    for number in range(1, HONEST):
        await client.report("honest", (f"2026-01-31T12:00:{number:02}Z", "loss", str(number)))
    await attacking
    assert [value for *_, value in await client.get("honest")] == [str(n) for n in range(HONEST)]


async def gzipped_points(attacker: Attacker) -> None:
    data = empty_points(20_000_000)
    for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        await asyncio.gather(
            *(attacker.send(REPORT, data, compression=compression) for _ in range(4))
        )
    assert attacker.codes() == {Code.RESOURCE_EXHAUSTED}
    assert all("larger than max" in why for _, why in attacker.ended)


async def points_without_end(attacker: Attacker) -> None:
    data = empty_points(LARGEST_MESSAGE // 2 - 8)
    await asyncio.gather(*(attacker.send(REPORT, data) for _ in range(40)))
    assert attacker.codes() == {Code.INVALID_ARGUMENT}
    assert all(f"at most {MOST_POINTS}" in why for _, why in attacker.ended)


async def one_huge_value(attacker: Attacker) -> None:
    point = ("2026-01-31T12:00:00Z", "loss", "1" * (100 * MIB))
    request = pb.ReportObservationLogRequest(trial_name="huge", observation_log=log(point))
    await attacker.send(REPORT, request.SerializeToString())
    assert attacker.codes() == {Code.RESOURCE_EXHAUSTED}


async def many_values(attacker: Attacker) -> None:
    """The largest reports that are allowed, many at a time."""
    points = [("2026-01-31T12:00:00Z", "loss", "7" * LONGEST_VALUE)] * 1_000
    request = pb.ReportObservationLogRequest(trial_name="large", observation_log=log(*points))
    data = request.SerializeToString()
    await asyncio.gather(*(attacker.send(REPORT, data) for _ in range(24)))
    assert attacker.codes() == {Code.OK}
    metadata = ((MAX_REPLY_METADATA, str(2**31 - 1)),)
    read = pb.GetObservationLogRequest(trial_name="large").SerializeToString()
    await asyncio.gather(*(attacker.send(GET, read, metadata=metadata) for _ in range(6)))
    assert attacker.codes() == {Code.OK, Code.RESOURCE_EXHAUSTED}


async def many_points(attacker: Attacker) -> None:
    """The most points that are allowed, many reports at a time."""
    points = [("2026-01-31T12:00:00Z", "a", "1")] * MOST_POINTS
    request = pb.ReportObservationLogRequest(trial_name="many", observation_log=log(*points))
    data = request.SerializeToString()
    assert len(data) < LARGEST_MESSAGE
    await asyncio.gather(*(attacker.send(REPORT, data) for _ in range(6)))
    assert attacker.codes() == {Code.OK}
    metadata = ((MAX_REPLY_METADATA, str(2**31 - 1)),)
    read = pb.GetObservationLogRequest(trial_name="many").SerializeToString()
    await asyncio.gather(*(attacker.send(GET, read, metadata=metadata) for _ in range(2)))
    assert attacker.codes() == {Code.OK, Code.RESOURCE_EXHAUSTED}


async def requests_that_never_come(attacker: Attacker) -> None:
    calls = [attacker.open_without_a_request(REPORT) for _ in range(300)]
    ends = [asyncio.ensure_future(code_of(call)) for call in calls]
    await eventually(lambda: sum(end.done() for end in ends) >= LIMITS.receiving_each)
    attacker.ended = [end.result() for end in ends if end.done()]
    for call in calls:
        call.cancel()
    attacker.over.set()
    await asyncio.gather(*ends)
    assert attacker.codes() == {Code.DEADLINE_EXCEEDED}


async def streams_without_end(attacker: Attacker) -> None:
    request = ours.WatchRequest(trial_name="honest")
    calls = [attacker.client.observations.Watch(request) for _ in range(500)]
    refused = [asyncio.ensure_future(code_of(call)) for call in calls]
    await eventually(lambda: sum(one.done() for one in refused) == 500 - LIMITS.streams_each)
    attacker.ended = [one.result() for one in refused if one.done()]
    for call in calls:
        call.cancel()
    await asyncio.gather(*refused)
    assert attacker.codes() == {Code.RESOURCE_EXHAUSTED}
    assert {f"{LIMITS.streams_each} open streams" in why for _, why in attacker.ended} == {True}


ATTACKS = (
    gzipped_points,
    points_without_end,
    one_huge_value,
    many_values,
    many_points,
    requests_that_never_come,
    streams_without_end,
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_under_attack_the_manager_stays_within_its_memory_and_answers_honest_clients(
    tmp_path: Path, attack: Callable[[Attacker], Coroutine[Any, Any, None]]
) -> None:
    async with attacked(tmp_path) as (manager, attacker, honest):
        await honest_reports(honest, attack(attacker))

        assert peak_memory(manager.pid) < memory_limit()
        assert manager.end() == 0
    assert '"trace"' not in manager.log.read_text()


async def test_large_requests_from_many_addresses_stay_within_the_memory_and_let_others_through(
    tmp_path: Path,
) -> None:
    points = [("2026-01-31T12:00:00Z", "a", "1")] * MOST_POINTS
    request = pb.ReportObservationLogRequest(trial_name="crowd", observation_log=log(*points))
    data = request.SerializeToString()
    async with attacked(tmp_path) as (manager, _, honest), AsyncExitStack() as stack:
        crowd = [
            await stack.enter_async_context(
                client_of(
                    await stack.enter_async_context(relay_from(f"127.0.1.{n}", manager.address))
                )
            )
            for n in range(1, CROWD + 1)
        ]
        calls = [
            asyncio.ensure_future(Attacker(client).send(REPORT, data))
            for client in crowd
            for _ in range(LIMITS.receiving_each)
        ]
        await honest_reports(honest, _ended(calls))

        assert peak_memory(manager.pid) < memory_limit()
        assert manager.end() == 0


async def _ended(calls: Sequence[asyncio.Future[None]]) -> None:
    """Let the attack go on during the honest reports, then end it."""
    await asyncio.sleep(HONEST * 0.1)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
