"""gRPC clients of the DB manager and the early-stopping service; small, so without asyncio."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc

from api.errors import RemoteError, Unavailable
from api.names import (
    NAMESPACE_METADATA,
    OUTCOME_METADATA,
    SEQUENCE_METADATA,
    SOURCE_METADATA,
)
from api.trialwatchv1 import observations_pb2 as pb_observations
from api.v1beta1 import api_pb2 as pb
from collector.core.ports import UnclearAnswer
from collector.grpc_answers import kind_of
from serving.client_security import ClientSecurity
from serving.grpc_client import credentials_of

if TYPE_CHECKING:
    from collector.core.batches import Batch

DEADLINE = 5.0
"""Seconds for one call."""
_REPORT = "/api.v1.beta1.DBManager/ReportObservationLog"
_READ = "/trialwatch.v1.Observations/Read"
"""A method that only trialwatch's DB manager has."""
_STOPPED = "/api.v1.beta1.EarlyStopping/SetTrialStatus"
_OPTIONS = (
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 5000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.max_send_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
)


_PLAIN = ClientSecurity()


def _usual_seconds() -> float:
    return DEADLINE


class _Server:
    """Unary methods of a server that may be unavailable."""

    def __init__(
        self,
        address: str,
        name: str,
        call_seconds: Callable[[], float],
        security: ClientSecurity = _PLAIN,
    ) -> None:
        """Connect at the first call; `call_seconds` returns the longest time for a call.

        Raises:
            SetupError: a file of TLS cannot be used.
        """
        self.has_token = security.token is not None
        credentials = credentials_of(security)
        if credentials is None:
            self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        else:
            self._channel = grpc.secure_channel(address, credentials, options=_OPTIONS)
        self._name = f"the {name} at {address}"
        self._call_seconds = call_seconds

    def method(self, name: str, reply: Any) -> Callable[..., Any]:  # noqa: ANN401 - a message class
        """Return a method; `reply` is the class of its reply."""
        return self._channel.unary_unary(
            name,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply.FromString,
        )

    def call(
        self, method: Callable[..., Any], request: object, metadata: tuple[tuple[str, str], ...]
    ) -> None:
        """Call a method.

        Raises:
            Unavailable: no answer, or an error that may be temporary.
            UnclearAnswer: an error that may be temporary or final.
            RemoteError: the server refused the request.
        """
        try:
            method(request, timeout=self._call_seconds(), metadata=metadata)
        except grpc.RpcError as error:
            code, details = error.code(), error.details() or ""
            kind = kind_of(code, details, has_token=self.has_token)
            raise kind(f"{self._name}: {code.name}: {details}") from error

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


class DbManagerClient:
    """`collector.core.ports.ObservationStore`."""

    def __init__(
        self,
        address: str,
        trial: str,
        namespace: str = "",
        call_seconds: Callable[[], float] = _usual_seconds,
        *,
        security: ClientSecurity = _PLAIN,
    ) -> None:
        """Report a trial's observations; `call_seconds` returns the longest time for a call.

        Raises:
            SetupError: a file of TLS cannot be used.
        """
        self._server = _Server(address, "DB manager", call_seconds, security)
        self._report = self._server.method(_REPORT, pb.ReportObservationLogReply)
        self._read = self._server.method(_READ, pb_observations.ReadReply)
        self._trial = trial
        self._namespace = _namespace(namespace)
        self.close = self._server.close

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
        self._server.call(self._report, request, (*self._namespace, *number, *outcome))

    def keeps_outcomes(self) -> bool:
        """Call a method of trialwatch's own; only UNIMPLEMENTED means that it is another server.

        With a token, no call is needed: Katib's DB manager has no TLS. And the token is for
        reports alone.
        """
        if self._server.has_token:
            return True
        request = pb_observations.ReadRequest(trial_name=self._trial, page_size=1)
        try:
            self._server.call(self._read, request, self._namespace)
        except UnclearAnswer as error:
            return not _is_unimplemented(error)
        except Unavailable:
            raise
        except RemoteError:  # it has the method, and refused the request
            return True
        return True


class EarlyStoppingClient:
    """`collector.core.ports.EarlyStopping`."""

    def __init__(
        self,
        address: str,
        trial: str,
        namespace: str = "",
        call_seconds: Callable[[], float] = _usual_seconds,
        *,
        security: ClientSecurity = _PLAIN,
    ) -> None:
        """Report the early stop of a trial; `call_seconds` returns the longest time for a call.

        Raises:
            SetupError: a file of TLS cannot be used.
        """
        self._server = _Server(address, "early-stopping service", call_seconds, security)
        self._set_status = self._server.method(_STOPPED, pb.SetTrialStatusReply)
        self._trial = trial
        self._namespace = _namespace(namespace)
        self.close = self._server.close

    def stopped(self) -> None:
        """Report that the trial was stopped; the service sets its status."""
        request = pb.SetTrialStatusRequest(trial_name=self._trial)
        self._server.call(self._set_status, request, self._namespace)


def _namespace(name: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata with the trial's namespace; none where it is unknown."""
    return ((NAMESPACE_METADATA, name),) if name else ()


def _is_unimplemented(error: RemoteError) -> bool:
    cause = error.__cause__
    return isinstance(cause, grpc.RpcError) and cause.code() is grpc.StatusCode.UNIMPLEMENTED
