"""Katib's service, over a real socket: what is stored, what is refused, with which code."""

from __future__ import annotations

import asyncio
import gc
import logging

import grpc
import pytest

from api.errors import Unavailable
from api.trialwatchv1 import observations_pb2 as ours
from api.v1beta1 import api_pb2 as pb
from dbmanager.service.metrics import Metrics
from dbmanager.store.memory import MemoryStore
from tests.dbmanager.dbmanager_server import log, points, refused, served
from tests.dbmanager.failing_store import FailingStore

ONE, TWO, THREE = (
    ("2026-01-31T12:00:00Z", "loss", "0.3"),
    ("2026-01-31T12:00:01.5Z", "acc", "0.8"),
    ("2026-01-31T12:00:02.123456Z", "loss", "0.2"),
)
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def numbered(number: int, source: str = "pod-1", outcome: str = "") -> list[tuple[str, str]]:
    pairs = [("trialwatch-source", source), ("trialwatch-seq", str(number))]
    return [*pairs, ("trialwatch-outcome", outcome)] if outcome else pairs


async def test_a_read_returns_the_reported_points_in_the_order_of_time() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", THREE, ONE)
        await client.report("t", TWO)

        assert await client.get("t") == [ONE, TWO, THREE]


async def test_stamps_come_back_in_utc_to_the_microsecond() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", ("2026-01-31T13:00:00.123456789+01:00", "a", "1"))

        assert await client.get("t") == [("2026-01-31T12:00:00.123456Z", "a", "1")]


async def test_a_read_can_be_narrowed_and_its_bounds_are_inclusive() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", ONE, TWO, THREE)

        assert await client.get("t", metric_name="loss") == [ONE, THREE]
        assert await client.get("t", start_time=TWO[0]) == [TWO, THREE]
        assert await client.get("t", end_time=TWO[0]) == [ONE, TWO]


async def test_a_trial_without_reports_has_an_empty_log() -> None:
    async with served(MemoryStore()) as client:
        assert await client.get("nobody") == []


async def test_deleting_removes_all_and_deleting_nothing_succeeds() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", ONE)
        await client.delete("t")
        await client.delete("t")

        assert await client.get("t") == []


async def test_a_repeat_is_acknowledged_and_stores_nothing() -> None:
    metrics = Metrics()
    async with served(MemoryStore(), metrics=metrics) as client:
        await client.report("t", ONE, metadata=numbered(1))
        await client.report("t", ONE, metadata=numbered(1))
        await client.report("t", THREE, metadata=numbered(4))

        assert await client.get("t") == [ONE, THREE]

    value = metrics.registry.get_sample_value
    assert value("trialwatch_dbmanager_rows_stored_total") == 2
    assert value("trialwatch_dbmanager_repeats_refused_total") == 1
    assert value("trialwatch_dbmanager_sequence_gaps_total") == 2


async def test_without_metadata_equal_reports_are_both_stored() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", ONE)
        await client.report("t", ONE)

        assert await client.get("t") == [ONE, ONE]


async def test_an_empty_report_succeeds_and_touches_nothing() -> None:
    store = FailingStore()
    async with served(store) as client:
        await client.report("t")

        assert store.reports == 0


async def test_an_empty_report_with_a_number_still_says_how_the_attempt_ended() -> None:
    async with served(MemoryStore()) as client:
        await client.report("t", ONE, metadata=numbered(1, "first"))
        await client.report("t", metadata=numbered(2, "first", "failed"))
        await client.report("t", TWO, metadata=numbered(1, "second"))

        assert await client.get("t") == [TWO]


async def test_two_namespaces_share_nothing_and_an_unclear_name_is_refused() -> None:
    ours, theirs = [("trialwatch-namespace", "ours")], [("trialwatch-namespace", "theirs")]
    async with served(MemoryStore()) as client:
        await client.report("t", ONE, metadata=ours)
        assert await client.get("t") == [ONE]
        await client.report("t", TWO, metadata=theirs)

        assert await client.get("t", metadata=ours) == [ONE]
        assert await client.get("t", metadata=theirs) == [TWO]
        for call in (client.get("t"), client.report("t", ONE), client.delete("t")):
            async with refused(
                grpc.StatusCode.FAILED_PRECONDITION, "'ours', 'theirs'", "trialwatch-namespace"
            ):
                await call
        await client.delete("t", metadata=ours)
        assert await client.get("t") == [TWO]


async def test_a_read_with_a_namespace_returns_rows_without_one_until_the_namespace_has_rows() -> (
    None
):
    team = [("trialwatch-namespace", "team")]
    summary = ours.SummaryRequest(trial_name="t")
    page = ours.ReadRequest(trial_name="t")
    async with served(MemoryStore()) as client:
        await client.report("t", ONE)  # as Katib's collectors do
        assert await client.get("t", metadata=team) == [ONE]
        found = await client.observations.Summary(summary, metadata=team)
        assert [metric.count for metric in found.metrics] == [1]
        assert points((await client.observations.Read(page, metadata=team)).observation_log) == [
            ONE
        ]

        await client.report("t", TWO, metadata=team)
        assert await client.get("t", metadata=team) == [TWO]
        nothing = await client.get("t", metric_name="nothing of this name", metadata=team)
        assert nothing == []


BAD_REPORTS = [
    (pb.ReportObservationLogRequest(trial_name="t"), (), "observation_log: missing"),
    (pb.ReportObservationLogRequest(observation_log=log(ONE)), (), "trial_name: missing"),
    (pb.ReportObservationLogRequest(trial_name="x" * 256, observation_log=log(ONE)), (), "256 characters"),
    (pb.ReportObservationLogRequest(trial_name="a\0b", observation_log=log(ONE)), (), '"a\\x00b" has a NUL'),
    (
        pb.ReportObservationLogRequest(trial_name="t", observation_log=log(ONE, TWO, THREE, ("noon", "a", "1"))), (),
        'observation_log.metric_logs[3].time_stamp: "noon" is not an RFC 3339 timestamp',
    ),
    (pb.ReportObservationLogRequest(trial_name="t", observation_log=log(("", "a", "1"))), numbered(1), "metric_logs[0].time_stamp: missing"),
    (pb.ReportObservationLogRequest(trial_name="t", observation_log=log(("", "a", "1"))), [("trialwatch-namespace", "")], "metric_logs[0].time_stamp: missing"),
    (pb.ReportObservationLogRequest(trial_name="t", observation_log=log(ONE)), [("trialwatch-seq", "1")], "trialwatch-source"),
    (pb.ReportObservationLogRequest(trial_name="t", observation_log=log(ONE)), [("trialwatch-soruce", "1")], 'did you mean "trialwatch-source"'),
    (pb.ReportObservationLogRequest(trial_name="t", observation_log=log(ONE)), numbered(1, outcome="won"), '"won" is unknown'),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "metadata", "words"), BAD_REPORTS)
async def test_a_bad_report_is_refused_by_name_and_nothing_of_it_is_stored(
    request_: pb.ReportObservationLogRequest, metadata: list[tuple[str, str]], words: str
) -> None:
    store = FailingStore()
    async with served(store) as client:
        async with refused(INVALID, words):
            await client.manager.ReportObservationLog(request_, metadata=metadata)

        assert store.reports == 0


async def test_points_without_a_time_from_katibs_clients_are_skipped_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics, timeless = Metrics(), ("", "loss", "0.1")
    async with served(MemoryStore(), metrics=metrics) as client:
        with caplog.at_level(logging.WARNING):
            await client.report("t", timeless, ONE, timeless, TWO)
            await client.report("t", timeless)

        assert await client.get("t") == [ONE, TWO]

    assert metrics.registry.get_sample_value("trialwatch_dbmanager_points_skipped_total") == 3
    logged = [record.__dict__["fields"] for record in caplog.records]
    assert logged == [{"trial": "t", "points": 2}, {"trial": "t", "points": 1}]


async def test_reports_that_never_arrived_are_logged_with_trial_and_source(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with served(MemoryStore()) as client:
        with caplog.at_level(logging.WARNING):
            for number in (1, 4, 5):
                sent = (("trialwatch-source", "pod"), ("trialwatch-seq", str(number)))
                await client.report("t", ONE, metadata=(*sent, ("trialwatch-namespace", "team")))

    logged = [record.__dict__["fields"] for record in caplog.records]
    assert logged == [{"trial": "t", "namespace": "team", "source": "pod", "missing": 2}]


async def test_a_bad_read_is_refused_by_name() -> None:
    async with served(MemoryStore()) as client:
        async with refused(INVALID, 'end_time: "noon"'):
            await client.get("t", end_time="noon")
        async with refused(INVALID, "trial_name: missing"):
            await client.get("")
        async with refused(INVALID, "trial_name: missing"):
            await client.delete("")


async def test_before_the_database_answers_requests_are_unavailable() -> None:
    async with served(FailingStore(), opened=False) as client:
        for call in (client.report("t", ONE), client.get("t"), client.delete("t")):
            async with refused(grpc.StatusCode.UNAVAILABLE, "the database is not available yet"):
                await call


async def test_a_database_that_went_away_is_unavailable() -> None:
    store = FailingStore()
    async with served(store) as client:
        store.failure = Unavailable("the server closed the connection")
        async with refused(grpc.StatusCode.UNAVAILABLE, "the server closed the connection"):
            await client.report("t", ONE)
        store.failure = None

        await client.report("t", ONE)
        assert await client.get("t") == [ONE]


async def test_an_internal_error_is_a_plain_sentence_and_its_trace_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, metrics = FailingStore(), Metrics()
    async with served(store, metrics=metrics) as client:
        store.failure = ZeroDivisionError("in the middle")
        with caplog.at_level(logging.ERROR):
            async with refused(grpc.StatusCode.INTERNAL, "its log has the cause"):
                await client.report("t", ONE)

    (record,) = caplog.records
    assert "ZeroDivisionError: in the middle" in record.__dict__["fields"]["trace"]
    count = metrics.registry.get_sample_value(
        "trialwatch_dbmanager_requests_total",
        {"method": "/api.v1.beta1.DBManager/ReportObservationLog", "code": "INTERNAL"},
    )
    assert count == 1


def many(count: int, first: int = 0) -> pb.ReportObservationLogRequest:
    seconds = [
        f"2026-01-31T{h:02}:{m:02}:{s:02}" for h in range(24) for m in range(60) for s in range(60)
    ]
    stamps = [
        f"{seconds[number // 1000]}.{number % 1000:03}Z" for number in range(first, first + count)
    ]
    return pb.ReportObservationLogRequest(
        trial_name="t", observation_log=log(*((stamp, "loss", "0.25") for stamp in stamps))
    )


async def test_a_reply_above_four_mebibytes_is_refused_with_the_remedies() -> None:
    async with served(MemoryStore()) as client:
        await client.manager.ReportObservationLog(many(60_000))
        await client.manager.ReportObservationLog(many(60_000, 60_000))
        async with refused(
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "larger than 4194304 bytes",
            "Observations.Read",
            "trialwatch-max-reply",
            "--max-reply",
        ):
            await client.get("t")

        raised = [("trialwatch-max-reply", "10000000")]
        assert len(await client.get("t", metadata=raised)) == 120_000


async def test_the_server_may_allow_larger_replies_to_all() -> None:
    async with served(MemoryStore(), max_reply=10_000_000) as client:
        await client.manager.ReportObservationLog(many(60_000))
        await client.manager.ReportObservationLog(many(60_000, 60_000))

        assert len(await client.get("t")) == 120_000


async def test_a_large_report_does_not_hold_up_the_others() -> None:
    store = FailingStore()
    async with served(store) as client:
        request = many(95_000)
        gc.collect()
        large = asyncio.ensure_future(client.manager.ReportObservationLog(request))
        answered = 0
        while not large.done():
            await client.get("other")
            answered += 1
        await large

    # If the report were read in one step, only one call before and one call after it would succeed.
    assert answered > 5
