"""`Observations`: summaries, pages that omit no point, watchers that get each point once."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.report_limits import LONGEST_VALUE
from api.trialwatchv1 import observations_pb2 as ours
from dbmanager.server import Server
from dbmanager.service.connection import Connection
from dbmanager.service.page_tokens import PageTokens
from dbmanager.service.replies import pieces
from dbmanager.store.contract import NewRow, Row, TrialKey
from dbmanager.store.memory import MemoryStore
from tests.dbmanager.dbmanager_server import LOOPBACK, Client, client_of, points, refused, served

Point = tuple[str, str, str]


def minute(number: int, name: str = "loss", value: str | None = None) -> Point:
    return (f"2026-01-31T12:{number:02}:00Z", name, str(number) if value is None else value)


async def pages(client: Client, **asked: object) -> list[list[Point]]:
    found = []
    request = ours.ReadRequest(**asked)  # type: ignore[arg-type]  # whatever a test asks
    while True:
        reply = await client.observations.Read(request)
        found.append(points(reply.observation_log))
        request.page_token = reply.next_page_token
        if not reply.next_page_token:
            return found


async def test_a_summary_has_count_ends_and_extremes_of_each_metric() -> None:
    async with served(MemoryStore()) as client:
        await client.report(
            "t", minute(1, value="0.5"), minute(2, value="nan"), minute(3, value="0.25"),
            minute(2, "note", "hello"),
        )  # fmt: skip
        reply = await client.observations.Summary(ours.SummaryRequest(trial_name="t"))

    loss, note = reply.metrics
    assert (loss.name, loss.count, loss.first, loss.last) == ("loss", 3, "0.5", "0.25")
    assert (loss.min, loss.max) == ("0.25", "0.5")
    assert (loss.first_time, loss.last_time) == (minute(1)[0], minute(3)[0])
    assert (note.count, note.first, note.min, note.max) == (1, "hello", "", "")


async def test_a_summary_keeps_the_order_that_was_asked_for() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", minute(1, "a"), minute(1, "b"), minute(1, "c"))
        request = ours.SummaryRequest(trial_name="t", metric_names=["c", "nothing", "a"])
        reply = await client.observations.Summary(request)

    assert [metric.name for metric in reply.metrics] == ["c", "a"]


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8])
async def test_pages_put_together_are_the_log_also_where_times_are_equal(size: int) -> None:
    log = [minute(1), minute(2), *[minute(3, value=str(value)) for value in range(4)], minute(4)]
    async with served(MemoryStore()) as client:
        await client.report("t", *log)
        found = await pages(client, trial_name="t", page_size=size)

    assert [point for page in found for point in page] == log
    assert len(found) == -(-len(log) // size)


async def test_a_trial_without_points_is_one_empty_page() -> None:
    async with served(MemoryStore()) as client:
        assert await pages(client, trial_name="t") == [[]]


async def test_a_page_of_long_values_ends_before_it_is_too_large_to_take() -> None:
    long = "x" * LONGEST_VALUE
    log = [(f"2026-01-31T12:00:{n // 50:02}.{n % 50:02}Z", "loss", long) for n in range(1_200)]
    async with served(MemoryStore()) as client:
        for start in range(0, len(log), 400):
            await client.report("t", *log[start : start + 400])
        found = await pages(client, trial_name="t")

    assert [len(page) for page in found] == [505, 505, 190]
    assert [value for page in found for *_, value in page] == [long] * len(log)


async def test_pages_can_be_narrowed() -> None:
    async with served(MemoryStore()) as client:
        await client.report(
            "t", *(minute(n) for n in range(9)), *(minute(n, "x") for n in range(9))
        )
        asked = {"start_time": minute(2)[0], "end_time": minute(6)[0]}
        found = await pages(client, trial_name="t", metric_name="x", page_size=2, **asked)

    assert [point for page in found for point in page] == [minute(n, "x") for n in range(2, 7)]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"page_size": -1}, "page_size: -1 is negative"),
        ({"page_token": "no-token"}, 'page_token: "no-token" is not a token'),
        ({"page_token": "1.1.1.00000000"}, "belongs to another request"),
        ({"start_time": "noon"}, 'start_time: "noon"'),
        ({"metric_name": "x" * 256}, "metric_name: "),
    ],
)
async def test_a_bad_page_request_is_refused_by_name(asked: dict[str, object], words: str) -> None:
    code = grpc.StatusCode.INVALID_ARGUMENT
    async with served(MemoryStore()) as client, refused(code, words):
        await pages(client, trial_name="t", **asked)


async def test_a_token_of_a_manager_before_the_steps_goes_on_at_the_same_point() -> None:
    log = [minute(3, value=str(value)) for value in range(4)]
    async with served(MemoryStore()) as client:
        await client.report("t", *log)
        reply = await client.observations.Read(ours.ReadRequest(trial_name="t", page_size=2))
        micros, _, row_id, check = reply.next_page_token.split(".")
        found = await pages(client, trial_name="t", page_token=f"{micros}.{row_id}.{check}")

    assert found == [log[2:]]


async def test_a_token_of_another_trial_is_refused() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", minute(1), minute(2))
        reply = await client.observations.Read(ours.ReadRequest(trial_name="t", page_size=1))
        async with refused(grpc.StatusCode.INVALID_ARGUMENT, "belongs to another request"):
            await pages(client, trial_name="u", page_token=reply.next_page_token)


async def watched(
    call: grpc.aio.UnaryStreamCall[object, ours.WatchReply], count: int
) -> tuple[list[Point], str]:
    """Read until so many points have arrived; return them and the last token."""
    found: list[Point] = []
    token = ""
    while len(found) < count:
        reply = await call.read()
        assert isinstance(reply, ours.WatchReply)
        found += points(reply.metric_logs)
        token = reply.resume_token
    return found, token


async def test_a_watcher_gets_the_stored_points_and_then_new_points() -> None:
    async with served(MemoryStore(), poll=60.0) as client:
        await client.report("t", minute(2))
        call = client.observations.Watch(ours.WatchRequest(trial_name="t"))
        assert (await watched(call, 1))[0] == [minute(2)]
        await client.report("other", minute(9))
        await client.report("t", minute(1), minute(3))
        assert (await watched(call, 2))[0] == [minute(1), minute(3)]
        call.cancel()


async def test_a_watcher_that_resumes_misses_no_point_and_gets_none_twice() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", minute(1), minute(2))
        first = client.observations.Watch(ours.WatchRequest(trial_name="t"))
        seen, token = await watched(first, 2)
        first.cancel()
        await client.report("t", minute(3))
        second = client.observations.Watch(ours.WatchRequest(trial_name="t", after_token=token))
        await client.report("t", minute(4))
        seen += (await watched(second, 2))[0]
        second.cancel()

    assert seen == [minute(1), minute(2), minute(3), minute(4)]


async def test_a_watcher_may_choose_metrics() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", minute(1), minute(1, "acc"), minute(2), minute(2, "acc"))
        request = ours.WatchRequest(trial_name="t", metric_names=["acc"])
        call = client.observations.Watch(request)
        assert (await watched(call, 2))[0] == [minute(1, "acc"), minute(2, "acc")]
        call.cancel()


async def test_one_may_watch_a_trial_that_reports_later_and_under_a_namespace() -> None:
    async with served(MemoryStore()) as client:
        call = client.observations.Watch(ours.WatchRequest(trial_name="t"))
        reading = asyncio.ensure_future(watched(call, 1))
        await client.get("t")
        await client.report("t", minute(1), metadata=[("trialwatch-namespace", "team-a")])
        assert (await reading)[0] == [minute(1)]
        call.cancel()


async def test_a_watcher_gets_rows_of_another_program_at_the_next_poll() -> None:
    store = MemoryStore()
    async with served(store, poll=0.01) as client:
        call = client.observations.Watch(ours.WatchRequest(trial_name="t"))
        reading = asyncio.ensure_future(watched(call, 1))
        await client.get("t")
        await store.report(TrialKey(namespace="", trial="t"), [NewRow(0, "loss", "1")])
        assert (await reading)[0] == [("1970-01-01T00:00:00Z", "loss", "1")]
        call.cancel()


async def test_when_the_server_ends_a_watcher_is_asked_to_watch_again() -> None:
    connection = Connection(MemoryStore())
    await connection.open()
    server = Server(connection, poll=60.0)
    address = server.listen(LOOPBACK)
    await server.start()
    async with client_of(address) as client:
        await client.report("t", minute(1))
        call = client.observations.Watch(ours.WatchRequest(trial_name="t"))
        await watched(call, 1)
        stopping = asyncio.ensure_future(server.stop(30.0))
        async with refused(grpc.StatusCode.UNAVAILABLE, "watch again from the last resume_token"):
            await call.read()
        await stopping


@given(st.lists(st.text(max_size=40)), st.integers(1, 300))
def test_pieces_are_the_rows_in_order_and_none_is_empty(values: list[str], limit: int) -> None:
    rows = [Row(number, 0, "m", value) for number, value in enumerate(values)]

    cut = list(pieces(rows, limit))

    assert [row for piece in cut for row in piece] == rows
    assert all(cut)


@given(st.integers(-(2**62), 2**62), st.integers(0, 2**62))
def test_reading_a_token_returns_the_position_that_was_written(micros: int, row_id: int) -> None:
    tokens = PageTokens(field="page_token", request_fields=("t", None, 3))

    assert tokens.read(tokens.write(micros, row_id), 2) == (micros, row_id)


@given(st.text())
def test_a_made_up_token_is_refused_and_nothing_worse(text: str) -> None:
    tokens = PageTokens(field="page_token", request_fields=("t",))
    if text:
        with pytest.raises(UserError, match="page_token"):
            tokens.read(text, 2)
