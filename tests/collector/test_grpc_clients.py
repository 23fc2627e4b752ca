"""The gRPC clients: messages, metadata, and the meaning of error codes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest

from api.errors import RemoteError, Unavailable
from api.types import MetricPoint
from api.v1beta1 import api_pb2 as pb
from collector.core.batches import Batch
from collector.grpc_clients import DbManagerClient, EarlyStoppingClient
from tests.collector.fake_early_stopping import early_stopping_service
from tests.dbmanager.database_servers import free_port


class Manager(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not at run time
    """A DB manager that keeps all requests, and answers with a code."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.OK
        self.details = "because"
        self.seen: list[tuple[pb.ReportObservationLogRequest, dict[str, str | bytes]]] = []

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        assert details.method == "/api.v1.beta1.DBManager/ReportObservationLog"
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
    points=(MetricPoint("loss", "0.5", "2026-01-01T00:00:00Z"), MetricPoint("loss", "nan", None)),
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


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "metric.name: missing", RemoteError),
        (grpc.StatusCode.FAILED_PRECONDITION, "two namespaces", RemoteError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "received message larger than max", RemoteError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests", Unavailable),
        (grpc.StatusCode.UNAVAILABLE, "no database", Unavailable),
        (grpc.StatusCode.UNKNOWN, "sql: connection refused", Unavailable),
        (grpc.StatusCode.INTERNAL, "oops", Unavailable),
        (grpc.StatusCode.UNAUTHENTICATED, "who are you", Unavailable),
    ],
)
def test_an_error_code_is_a_refusal_or_a_reason_to_try_again(
    manager: tuple[Manager, str], code: grpc.StatusCode, details: str, kind: type[RemoteError]
) -> None:
    handler, address = manager
    handler.code, handler.details = code, details
    client = DbManagerClient(address, "trial-1")
    with pytest.raises(RemoteError, match=f"{address}: {code.name}: {details}") as caught:
        client.send(BATCH)
    client.close()
    assert type(caught.value) is kind


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
