"""gRPC clients of the DB manager and the early-stopping service; small, so without asyncio."""

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
_FINAL_CODES = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.FAILED_PRECONDITION,
)
"""A repeated call would get these codes again. Other codes may be a temporary fault."""
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
    """One unary method of a server that may be unavailable."""

    def __init__(self, address: str, method: str, reply: Any, server: str) -> None:  # noqa: ANN401 - a message class
        """Connect at the first call."""
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self._call = self._channel.unary_unary(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply.FromString,
        )
        self._server = f"the {server} at {address}"

    def call(self, request: object, metadata: tuple[tuple[str, str], ...] = ()) -> None:
        """Call it.

        Raises:
            Unavailable: no answer, or an error that may be temporary.
            RemoteError: the server refused the request.
        """
        try:
            self._call(request, timeout=DEADLINE, metadata=metadata)
        except grpc.RpcError as error:
            code, details = error.code(), error.details()
            kind = RemoteError if code in _FINAL_CODES or _is_too_large(error) else Unavailable
            raise kind(f"{self._server}: {code.name}: {details}") from error

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


class DbManagerClient(_Service):
    """`collector.core.ports.ObservationStore`."""

    def __init__(self, address: str, trial: str, namespace: str = "") -> None:
        """Report a trial's observations."""
        super().__init__(address, _REPORT, pb.ReportObservationLogReply, "DB manager")
        self._trial = trial
        self._namespace = _namespace(namespace)

    def send(self, batch: Batch) -> None:
        """Send a batch with its source and number."""
        request = pb.ReportObservationLogRequest(trial_name=self._trial)
        request.observation_log.SetInParent()  # also without points
        logs = request.observation_log.metric_logs
        for point in batch.points:
            log = logs.add(time_stamp=point.timestamp or "")
            log.metric.name, log.metric.value = point.name, point.value
        outcome = ((OUTCOME_METADATA, batch.outcome),) if batch.outcome is not None else ()
        number = ((SOURCE_METADATA, batch.source), (SEQUENCE_METADATA, str(batch.sequence)))
        self.call(request, (*self._namespace, *number, *outcome))


class EarlyStoppingClient(_Service):
    """`collector.core.ports.EarlyStopping`."""

    def __init__(self, address: str, trial: str, namespace: str = "") -> None:
        """Report the early stop of a trial."""
        super().__init__(address, _STOPPED, pb.SetTrialStatusReply, "early-stopping service")
        self._trial = trial
        self._namespace = _namespace(namespace)

    def stopped(self) -> None:
        """Report that the trial was stopped; the service sets its status."""
        self.call(pb.SetTrialStatusRequest(trial_name=self._trial), self._namespace)


def _namespace(name: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata with the trial's namespace; none where it is unknown."""
    return ((NAMESPACE_METADATA, name),) if name else ()


def _is_too_large(error: grpc.RpcError) -> bool:
    exhausted = error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    return exhausted and "larger than max" in (error.details() or "")
