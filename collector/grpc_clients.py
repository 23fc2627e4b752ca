"""gRPC clients of the DB manager and the early-stopping service; small, so without asyncio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import grpc

from api.errors import RemoteError, SetupError, Unavailable
from api.names import (
    AUTHORIZATION_KEY,
    NAMESPACE_METADATA,
    OUTCOME_METADATA,
    SEQUENCE_METADATA,
    SOURCE_METADATA,
)
from api.trialwatchv1 import observations_pb2 as pb_observations
from api.v1beta1 import api_pb2 as pb
from collector.core.ports import CALL_SECONDS, UnclearAnswer
from collector.grpc_answers import kind_of
from serving.client_security import ClientSecurity
from serving.credential_files import read_token
from serving.grpc_client import credentials_of

if TYPE_CHECKING:
    from collector.core.batches import Batch

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
    return CALL_SECONDS


class _Client:
    """The calls of one trial to a server that may be unavailable."""

    _server: ClassVar[str]
    """What errors call the server."""

    def __init__(
        self,
        address: str,
        trial: str,
        namespace: str = "",
        call_seconds: Callable[[], float] = _usual_seconds,
        *,
        security: ClientSecurity = _PLAIN,
    ) -> None:
        """Make it; the connection is opened at the first call.

        Args:
            address: `HOST:PORT` of the server.
            trial: its name.
            namespace: of the trial; "" if it is unknown.
            call_seconds: returns the longest time for a call.
            security: the files for TLS and for the token.

        Raises:
            SetupError: a file of TLS cannot be used.
        """
        # gRPC's own way to add a token takes 0.2 ms of each call, in another thread.
        credentials = credentials_of(replace(security, token=None))
        if credentials is None:
            self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        else:
            self._channel = grpc.secure_channel(address, credentials, options=_OPTIONS)
        self._name = f"the {self._server} at {address}"
        self._trial, self._call_seconds = trial, call_seconds
        self._namespace = ((NAMESPACE_METADATA, namespace),) if namespace else ()
        self._security, self._has_token = security, security.token is not None

    def _method(self, name: str, reply: Any) -> Callable[..., Any]:  # noqa: ANN401 - a message class
        """Return a unary method; `reply` is the class of its reply."""
        return self._channel.unary_unary(
            name,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply.FromString,
        )

    def _call(self, method: Callable[..., Any], request: object, *more: tuple[str, str]) -> None:
        """Call a method with the trial's namespace and `more` as metadata.

        Raises:
            Unavailable: no answer, or an error that may be temporary.
            UnclearAnswer: an error that may be temporary or final.
            RemoteError: the server refused the request.
        """
        metadata = (*self._namespace, *more, *self._token())
        try:
            method(request, timeout=self._call_seconds(), metadata=metadata)
        except grpc.RpcError as error:
            code, details = error.code(), error.details() or ""
            kind = kind_of(code, details, has_token=self._has_token)
            raise kind(f"{self._name}: {code.name}: {details}") from error

    def _token(self) -> tuple[tuple[str, str], ...]:
        """Return the metadata with the token, as its file is now; `ClientSecurity` has TLS then.

        Raises:
            Unavailable: the file has no token at this moment.
        """
        if self._security.token is None:
            return ()
        try:
            token = read_token(self._security.token, self._security.flags)
        except SetupError as error:
            raise Unavailable(f"{self._name}: {error}") from None
        return ((AUTHORIZATION_KEY, f"Bearer {token}"),)

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()


class DbManagerClient(_Client):
    """`collector.core.ports.ObservationStore`."""

    _server = "DB manager"

    def send(self, batch: Batch) -> None:
        """Send a batch with its source and number."""
        request = pb.ReportObservationLogRequest(trial_name=self._trial)
        request.observation_log.SetInParent()  # also without points
        logs = request.observation_log.metric_logs
        for point in batch.points:
            log = logs.add(time_stamp=point.timestamp or "", step=point.step)
            log.metric.name, log.metric.value = point.name, point.value
        outcome = ((OUTCOME_METADATA, batch.outcome),) if batch.outcome is not None else ()
        number = ((SOURCE_METADATA, batch.source), (SEQUENCE_METADATA, str(batch.sequence)))
        method = self._method(_REPORT, pb.ReportObservationLogReply)
        self._call(method, request, *number, *outcome)

    def keeps_outcomes(self) -> bool:
        """Call a method of trialwatch's own; only UNIMPLEMENTED means that it is another server.

        With a token, no call is needed: Katib's DB manager has no TLS. And the token is for
        reports alone.
        """
        if self._has_token:
            return True
        request = pb_observations.ReadRequest(trial_name=self._trial, page_size=1)
        try:
            self._call(self._method(_READ, pb_observations.ReadReply), request)
        except UnclearAnswer as error:
            return not _is_unimplemented(error)
        except Unavailable:
            raise
        except RemoteError:  # it has the method, and refused the request
            return True
        return True


class EarlyStoppingClient(_Client):
    """`collector.core.ports.EarlyStopping`."""

    _server = "early-stopping service"

    def stopped(self) -> None:
        """Report that the trial was stopped; the service sets its status."""
        request = pb.SetTrialStatusRequest(trial_name=self._trial)
        self._call(self._method(_STOPPED, pb.SetTrialStatusReply), request)


def _is_unimplemented(error: RemoteError) -> bool:
    cause = error.__cause__
    return isinstance(cause, grpc.RpcError) and cause.code() is grpc.StatusCode.UNIMPLEMENTED
