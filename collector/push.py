"""The DB manager and the early-stopping service, over gRPC without asyncio: it is small so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from api.errors import RemoteError, Unavailable
from api.names import (
    NAMESPACE_METADATA,
    OUTCOME_METADATA,
    SEQUENCE_METADATA,
    SOURCE_METADATA,
)
from api.v1beta1 import api_pb2 as pb

if TYPE_CHECKING:
    from collector.core.batches import Batch

DEADLINE = 5.0
"""Seconds for one call."""
_REPORT = "/api.v1.beta1.DBManager/ReportObservationLog"
_STOPPED = "/api.v1.beta1.EarlyStopping/SetTrialStatus"
_NEVER = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.FAILED_PRECONDITION,
)
"""What is answered so today is answered so tomorrow. All else may be somebody's passing mistake."""
_OPTIONS = (
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.max_send_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
)


class _Service:
    """One unary method of a server that may be away."""

    def __init__(self, address: str, method: str, reply: Any, who: str) -> None:  # noqa: ANN401 - a message class
        """Connect when it is first needed."""
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._call = self._channel.unary_unary(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply.FromString,
        )
        self._who = f"the {who} at {address}"

    def call(self, request: object, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        """Call it.

        Raises:
            Unavailable: it did not answer, or may answer otherwise.
            RemoteError: it refused the request.
        """
        try:
            self._call(request, timeout=DEADLINE, metadata=metadata)
        except grpc.RpcError as error:
            code, details = error.code(), error.details()
            kind = RemoteError if code in _NEVER or _is_too_large(error) else Unavailable
            raise kind(f"{self._who}: {code.name}: {details}") from error

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


class DbManager(_Service):
    """`collector.core.ports.Sink`."""

    def __init__(self, address: str, trial: str, namespace: str = "") -> None:
        """Report a trial's observations."""
        super().__init__(address, _REPORT, pb.ReportObservationLogReply, "DB manager")
        self._trial = trial
        self._namespace = _namespace(namespace)

    def send(self, batch: Batch) -> None:
        """Send a batch, under its source and number."""
        request = pb.ReportObservationLogRequest(trial_name=self._trial)
        request.observation_log.SetInParent()  # be it without points
        logs = request.observation_log.metric_logs
        for point in batch.points:
            log = logs.add(time_stamp=point.timestamp or "")
            log.metric.name, log.metric.value = point.name, point.value
        outcome = ((OUTCOME_METADATA, batch.outcome),) if batch.outcome is not None else ()
        number = ((SOURCE_METADATA, batch.source), (SEQUENCE_METADATA, str(batch.sequence)))
        self.call(request, (*self._namespace, *number, *outcome))


class EarlyStoppingService(_Service):
    """`collector.core.ports.EarlyStopping`."""

    def __init__(self, address: str, trial: str, namespace: str = "") -> None:
        """Tell of a trial's stop."""
        super().__init__(address, _STOPPED, pb.SetTrialStatusReply, "early-stopping service")
        self._trial = trial
        self._namespace = _namespace(namespace)

    def stopped(self) -> None:
        """Set the trial's status."""
        self.call(pb.SetTrialStatusRequest(trial_name=self._trial), self._namespace)


def _namespace(name: str) -> tuple[tuple[str, str], ...]:
    """Say whose trial it is; where nobody has told us, it is left to the service."""
    return ((NAMESPACE_METADATA, name),) if name else ()


def _is_too_large(error: grpc.RpcError) -> bool:
    exhausted = error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    return exhausted and "larger than max" in (error.details() or "")
