"""What one client may send and keep open; each refusal names its limit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import grpc
import pytest

from api.report_limits import LONGEST_VALUE, MOST_POINTS
from api.trialwatchv1 import observations_pb2 as ours
from api.v1beta1 import api_pb2 as pb
from dbmanager.store.contract import Row, TrialKey
from dbmanager.store.memory import MemoryStore
from serving.call_limits import Limits
from serving.error_interceptor import Guards
from tests.dbmanager.dbmanager_server import Client, client_of, log, refused, served
from tests.dbmanager.other_client import relay_from
from tests.dbmanager.test_hostile_clients import empty_points
from tests.polling import eventually

WATCHERS = 12
WAITING, UNREAD = 20, 16 * 1024
"""Calls, and the bytes of each that gRPC receives before the server reads it."""
METHODS = [
    "/api.v1.beta1.DBManager/ReportObservationLog",
    "/api.v1.beta1.DBManager/GetObservationLog",
    "/grpc.health.v1.Health/Check",
]


def point(second: int, value: str = "1") -> tuple[str, str, str]:
    return f"2026-01-31T12:00:{second:02}Z", "loss", value


@pytest.mark.parametrize("method", METHODS)
async def test_bytes_that_are_not_a_message_are_refused_without_a_trace(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(MemoryStore()) as client:
        async with refused(grpc.StatusCode.INVALID_ARGUMENT, "4 bytes", method):
            await client.channel.unary_unary(method)(b"\xff\xff\xff\xff")
        async with refused(grpc.StatusCode.INVALID_ARGUMENT, "no request"):
            await client.channel.stream_unary(method)(iter(()))
    assert not caplog.records


async def test_a_value_that_is_too_long_is_refused_by_name_and_nothing_is_stored() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", point(1, "1" * LONGEST_VALUE))
        async with refused(
            grpc.StatusCode.INVALID_ARGUMENT,
            "metric_logs[1].metric.value",
            f"send at most {LONGEST_VALUE}",
        ):
            await client.report("t", point(2), point(3, "1" * (LONGEST_VALUE + 1)))
        assert len(await client.get("t")) == 1


async def test_too_many_points_are_refused_with_the_limit() -> None:
    request = pb.ReportObservationLogRequest(trial_name="t")
    request.observation_log.metric_logs.extend([pb.MetricLog()] * (MOST_POINTS + 1))
    refusal = refused(grpc.StatusCode.INVALID_ARGUMENT, f"send at most {MOST_POINTS}")
    async with served(MemoryStore()) as client, refusal:
        await client.manager.ReportObservationLog(request)


async def test_too_many_points_are_refused_before_they_are_parsed() -> None:
    data = empty_points(MOST_POINTS + 1) + b"\x0f"  # the last byte no parser takes
    refusal = refused(grpc.StatusCode.INVALID_ARGUMENT, f"send at most {MOST_POINTS}")
    async with served(MemoryStore()) as client, refusal:
        await client.channel.unary_unary(METHODS[0])(data)


async def test_too_many_metric_names_are_refused() -> None:
    request = ours.SummaryRequest(trial_name="t", metric_names=["m"] * 1_001)
    refusal = refused(grpc.StatusCode.INVALID_ARGUMENT, "send at most 1000")
    async with served(MemoryStore()) as client, refusal:
        await client.observations.Summary(request)


class CountingStore(MemoryStore):
    """Counts the reads of watchers."""

    reads = 0

    def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        self.reads += 1
        return super().new_rows(key, after_id)


async def next_values(call: grpc.aio.UnaryStreamCall[object, ours.WatchReply]) -> list[str]:
    reply = await call.read()
    assert isinstance(reply, ours.WatchReply)
    return [log.metric.value for log in reply.metric_logs]


async def test_all_watchers_of_a_trial_share_one_read_of_each_report() -> None:
    store = CountingStore()
    async with served(store, poll=600.0) as client:
        await client.report("t", point(0, "first"))
        request = ours.WatchRequest(trial_name="t")
        calls = [client.observations.Watch(request) for _ in range(WATCHERS)]
        for call in calls:
            assert await next_values(call) == ["first"]
        started = 2 * WATCHERS + 1  # each watcher before and after it joins, and the reader
        await eventually(lambda: store.reads == started)

        for number in range(1, 6):
            await client.report("t", point(number, str(number)))
            assert [await next_values(call) for call in calls] == [[str(number)]] * WATCHERS

        assert store.reads == started + 5
        for call in calls:
            call.cancel()


async def open_watches(client: Client, count: int) -> list[grpc.aio.UnaryStreamCall]:  # type: ignore[type-arg]  # any messages
    calls = [client.observations.Watch(ours.WatchRequest(trial_name="t")) for _ in range(count)]
    for call in calls:
        assert await next_values(call) == ["1"]
    return calls


async def test_a_stream_too_many_is_refused_and_an_ended_stream_makes_room() -> None:
    async with served(MemoryStore(), guards=Guards(limits=Limits(streams_each=3))) as client:
        await client.report("t", point(0))
        calls = await open_watches(client, 3)
        async with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "3 open streams"):
            await client.observations.Watch(ours.WatchRequest(trial_name="t")).read()

        calls[0].cancel()
        async with asyncio.timeout(30):
            while True:
                try:
                    [calls[0]] = await open_watches(client, 1)
                    break
                except grpc.aio.AioRpcError:
                    await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()


async def test_a_request_that_does_not_arrive_ends_and_keeps_no_place() -> None:
    guards = Guards(limits=Limits(receiving_each=1, receive_seconds=0.2))
    async with served(MemoryStore(), guards=guards) as client:
        never = asyncio.Event()

        async def nothing() -> AsyncIterator[bytes]:
            await never.wait()
            yield b""

        call = client.channel.stream_unary(METHODS[0])(nothing())
        async with refused(grpc.StatusCode.DEADLINE_EXCEEDED, "within 0.2 s"):
            await call
        await client.report("t", point(0))
        never.set()


async def test_calls_that_wait_take_little_memory_even_after_fast_ones() -> None:
    data = pb.ReportObservationLogRequest(
        trial_name="t", observation_log=log(*[point(0, "1" * LONGEST_VALUE)] * 900)
    ).SerializeToString()
    guards, sent = Guards(limits=Limits(receiving=1, crowded_seconds=60.0)), Counter[str]()
    async with (
        served(MemoryStore(), guards=guards) as direct,
        relay_from("127.0.0.9", direct.address, sent) as relay,
        client_of(relay) as client,
    ):
        report = client.channel.unary_unary(METHODS[0])
        for _ in range(5):
            await report(data)  # fast: gRPC would let the next ones send far more at once
        before = sent.total()

        never = asyncio.Event()

        async def nothing() -> AsyncIterator[bytes]:
            await never.wait()
            yield b""

        holder = direct.channel.stream_unary(METHODS[0])(nothing())
        calls = [report(data) for _ in range(WAITING)]
        await eventually(lambda: sent.total() - before >= WAITING * UNREAD)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.gather(*calls)

        assert sent.total() - before < 2 * WAITING * UNREAD
        never.set()
        for call in (holder, *calls):
            call.cancel()
