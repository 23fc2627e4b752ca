"""The metrics for Prometheus: each number is what its help text says."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.errors import SetupError, Unavailable
from dbmanager.service.connection import Connection
from dbmanager.service.metrics import Metrics
from dbmanager.store.contract import Receipt
from dbmanager.store.memory import MemoryStore
from serving.metrics import MetricsServer
from tests.dbmanager.dbmanager_server import LOOPBACK, refused, served
from tests.dbmanager.failing_store import FailingStore

REPORT = "/api.v1.beta1.DBManager/ReportObservationLog"
POINT = ("2026-01-31T12:00:00Z", "loss", "0.5")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"trialwatch_dbmanager_{name}", labels)


async def test_requests_are_counted_by_method_and_code_and_their_time_taken() -> None:
    metrics = Metrics()
    async with served(MemoryStore(), metrics=metrics) as client:
        await client.report("trial", POINT)
        await client.report("trial", POINT)
        async with refused(grpc.StatusCode.INVALID_ARGUMENT):
            await client.report("", POINT)

    assert value(metrics, "requests_total", method=REPORT, code="OK") == 2
    assert value(metrics, "requests_total", method=REPORT, code="INVALID_ARGUMENT") == 1
    assert value(metrics, "request_seconds_count", method=REPORT) == 3


async def test_points_repeats_and_gaps_are_counted() -> None:
    metrics = Metrics()
    async with served(MemoryStore(), metrics=metrics) as client:
        for number in (1, 1, 4):
            said = (("trialwatch-source", "pod"), ("trialwatch-seq", str(number)))
            await client.report("trial", POINT, POINT, metadata=said)

    assert value(metrics, "rows_stored_total") == 4
    assert value(metrics, "repeats_refused_total") == 1
    assert value(metrics, "sequence_gaps_total") == 2


async def test_whether_the_database_is_up_follows_the_database() -> None:
    metrics, store = Metrics(), FailingStore()
    connection = Connection(store, changed=metrics.database)
    await connection.open()
    assert value(metrics, "database_up") == 1
    store.failure = Unavailable("gone")
    await connection.alive()
    assert value(metrics, "database_up") == 0


def test_the_port_gives_them_as_text_and_the_document_names_them_all() -> None:
    metrics = Metrics()
    metrics.reported(Receipt(stored=7))
    server = MetricsServer(metrics.registry, LOOPBACK)
    try:
        with urllib.request.urlopen(f"http://{server.address}/metrics", timeout=10) as reply:
            text = reply.read().decode()
    finally:
        server.close()
    assert "trialwatch_dbmanager_rows_stored_total 7.0" in text
    names = {family.name for family in text_string_to_metric_families(text)}
    own = {name.removesuffix("_created") for name in names if name.startswith("trialwatch_")}
    assert len(own) == 10
    document = (Path(__file__).parents[3] / "docs" / "dbmanager.md").read_text(encoding="utf-8")
    assert [name for name in sorted(own) if name not in document] == []


def test_a_port_that_another_program_has_is_the_set_ups_fault() -> None:
    first = MetricsServer(Metrics().registry, LOOPBACK)
    try:
        with pytest.raises(SetupError, match="--metrics-listen: cannot listen on 127"):
            MetricsServer(Metrics().registry, first.address)
    finally:
        first.close()
