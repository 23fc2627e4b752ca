"""The gRPC clients: messages, metadata, and the meaning of error codes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest

from api.errors import RemoteError, Unavailable
from api.types import MetricPoint
from api.v1beta1 import api_pb2 as pb
from collector.core.batches import Batch
from collector.core.ports import UnclearAnswer
from collector.grpc_clients import DbManagerClient, EarlyStoppingClient
from dbmanager.store.memory import MemoryStore
from tests.collector.fake_early_stopping import early_stopping_service
from tests.collector.katib_db_manager import katib_db_manager
from tests.dbmanager.database_servers import free_port
from tests.dbmanager.dbmanager_server import served
from tests.dbmanager.failing_store import FailingStore


class Manager(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not at run time
    """A DB manager that keeps all requests, and answers with a code."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.OK
        self.details = "because"
        self.seen: list[tuple[pb.ReportObservationLogRequest, dict[str, str | bytes]]] = []

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        report = "/api.v1.beta1.DBManager/ReportObservationLog"
        assert details.method in {report, "/trialwatch.v1.Observations/Read"}
        return grpc.unary_unary_rpc_method_handler(self._report)

    def _report(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        metadata = {
            key: value
            for key, value in context.invocation_metadata()
            if key.startswith("trialwatch")
        }
        self.seen.append((pb.ReportObservationLogRequest.FromString(request), metadata))
        if self.code is not grpc.StatusCode.OK:
            context.abort(self.code, self.details)
        return b""


@pytest.fixture
def manager() -> Iterator[tuple[Manager, str]]:
    handler = Manager()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield handler, f"127.0.0.1:{port}"
    server.stop(None).wait()


BATCH = Batch(
    source="a-1",
    sequence=7,
    points=(
        MetricPoint("loss", "0.5", "2026-01-01T00:00:00Z", 0),
        MetricPoint("loss", "nan", None),
    ),
    outcome="failed",
)


def test_a_batch_is_katibs_message_with_trialwatchs_metadata(manager: tuple[Manager, str]) -> None:
    handler, address = manager
    client = DbManagerClient(address, "trial-1", "team")
    client.send(BATCH)
    client.close()
    [(request, metadata)] = handler.seen
    assert request.trial_name == "trial-1"
    assert [
        (log.time_stamp, log.metric.name, log.metric.value)
        for log in request.observation_log.metric_logs
    ] == [("2026-01-01T00:00:00Z", "loss", "0.5"), ("", "loss", "nan")]
    steps = [log.step for log in request.observation_log.metric_logs if log.HasField("step")]
    assert steps == [0]
    assert metadata == {
        "trialwatch-namespace": "team",
        "trialwatch-source": "a-1",
        "trialwatch-seq": "7",
        "trialwatch-outcome": "failed",
    }


def test_without_namespace_and_outcome_the_metadata_lack_them(
    manager: tuple[Manager, str],
) -> None:
    handler, address = manager
    client = DbManagerClient(address, "trial-1")
    client.send(Batch(source="a-1", sequence=1, points=()))
    client.close()
    [(request, metadata)] = handler.seen
    assert request.HasField("observation_log")
    assert set(metadata) == {"trialwatch-source", "trialwatch-seq"}


_BUSY, _WRONG, _UNCLEAR = Unavailable, RemoteError, UnclearAnswer
TRUTHS = {
    grpc.StatusCode.CANCELLED: _BUSY,
    grpc.StatusCode.UNKNOWN: _UNCLEAR,
    grpc.StatusCode.INVALID_ARGUMENT: _WRONG,
    grpc.StatusCode.DEADLINE_EXCEEDED: _BUSY,
    grpc.StatusCode.NOT_FOUND: _UNCLEAR,
    grpc.StatusCode.ALREADY_EXISTS: _UNCLEAR,
    grpc.StatusCode.PERMISSION_DENIED: _UNCLEAR,
    grpc.StatusCode.RESOURCE_EXHAUSTED: _BUSY,
    grpc.StatusCode.FAILED_PRECONDITION: _WRONG,
    grpc.StatusCode.ABORTED: _BUSY,
    grpc.StatusCode.OUT_OF_RANGE: _WRONG,
    grpc.StatusCode.UNIMPLEMENTED: _UNCLEAR,
    grpc.StatusCode.INTERNAL: _UNCLEAR,
    grpc.StatusCode.UNAVAILABLE: _BUSY,
    grpc.StatusCode.DATA_LOSS: _UNCLEAR,
    grpc.StatusCode.UNAUTHENTICATED: _UNCLEAR,
}


def test_each_code_of_grpc_has_its_meaning() -> None:
    assert set(TRUTHS) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        *((code, "because", kind) for code, kind in TRUTHS.items()),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "received message larger than max", RemoteError),
        (grpc.StatusCode.UNKNOWN, "sql: connection refused", UnclearAnswer),
    ],
)
def test_an_error_code_is_temporary_final_or_unclear(
    manager: tuple[Manager, str], code: grpc.StatusCode, details: str, kind: type[RemoteError]
) -> None:
    handler, address = manager
    handler.code, handler.details = code, details
    client = DbManagerClient(address, "trial-1")
    with pytest.raises(RemoteError, match=f"{address}: {code.name}: {details}") as caught:
        client.send(BATCH)
    client.close()
    assert type(caught.value) is kind


def _keeps_outcomes(address: str) -> bool:
    client = DbManagerClient(address, "trial-1", "team")
    try:
        return client.keeps_outcomes()
    finally:
        client.close()


async def test_trialwatchs_db_manager_keeps_outcomes_also_of_a_trial_without_rows() -> None:
    async with served(MemoryStore()) as manager:
        assert await asyncio.to_thread(_keeps_outcomes, manager.address)


async def test_whether_a_db_manager_keeps_outcomes_is_unknown_while_its_database_is_away() -> None:
    async with served(FailingStore(), opened=False) as manager:
        with pytest.raises(Unavailable, match="the database is not available yet"):
            await asyncio.to_thread(_keeps_outcomes, manager.address)


def test_katibs_db_manager_keeps_no_outcomes() -> None:
    with katib_db_manager() as manager:
        assert not _keeps_outcomes(manager.address)


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INTERNAL,
    ],
)
def test_a_server_that_refuses_to_say_may_keep_outcomes(
    manager: tuple[Manager, str], code: grpc.StatusCode
) -> None:
    handler, address = manager
    handler.code = code
    assert _keeps_outcomes(address)


def test_a_call_takes_only_the_time_that_is_left() -> None:
    with katib_db_manager() as manager:
        manager.hangs = True
        client = DbManagerClient(manager.address, "trial-1", call_seconds=lambda: 0.2)
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="DEADLINE_EXCEEDED"):
            client.send(BATCH)
        assert time.monotonic() - begun < 4.0
        client.close()


def test_a_stop_is_reported_with_the_trials_namespace() -> None:
    with early_stopping_service() as service:
        for namespace in ("team", ""):
            client = EarlyStoppingClient(service.address, "trial-1", namespace)
            client.stopped()
            client.close()

        assert service.stopped_trials == ["trial-1", "trial-1"]
        assert service.namespaces == ["team", None]


def test_a_missing_server_is_a_reason_to_try_again() -> None:
    client = DbManagerClient(f"127.0.0.1:{free_port()}", "trial-1")
    with pytest.raises(Unavailable, match="UNAVAILABLE"):
        client.send(BATCH)
    client.close()
