"""Reads observation logs from a DB manager, that of trialwatch or of Katib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import grpc
import grpc.aio

from api import names
from api.errors import RemoteError, Unavailable, UserError
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from serving.addresses import Address

SECONDS: Final = 30.0
"""The time-out for one log: the controller waits a minute for the rules of all trials."""
_MOST_BYTES: Final = 256 * 1024 * 1024
_UNAVAILABLE = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})


class ObservationReader:
    """Has one channel for each DB manager; `close` closes them."""

    def __init__(
        self,
        seconds: float = SECONDS,
        *,
        only: Address | None = None,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        """Make it; no channel is open yet.

        Args:
            seconds: the time-out for one log.
            only: the only manager that is called; None: any.
            credentials: of all channels; None: no TLS.
        """
        self._seconds, self._only, self._credentials = seconds, only, credentials
        self._channels: dict[Address, grpc.aio.Channel] = {}

    async def values(
        self, manager: Address, namespace: str, trial: str, metric: str
    ) -> Sequence[str]:
        """Return the values of one metric of a trial, in the order of time.

        If `namespace` is empty, only one namespace of the manager may have a trial of this name.

        Raises:
            Unavailable: the manager did not answer in time.
            RemoteError: the manager refused.
            UserError: the manager is not the one that may be called.
        """
        if self._only not in {None, manager}:
            raise UserError(
                f"db_manager_address: {manager} is not the DB manager of this installation,"
                f" {self._only}"
            )
        stub = api_pb2_grpc.DBManagerStub(self._channel(manager))
        request = pb.GetObservationLogRequest(trial_name=trial, metric_name=metric)
        metadata: tuple[tuple[str, str], ...] = ((names.MAX_REPLY_METADATA, str(_MOST_BYTES)),)
        if namespace:
            metadata = (*metadata, (names.NAMESPACE_METADATA, namespace))
        try:
            reply = await stub.GetObservationLog(
                request, timeout=self._seconds, metadata=metadata, wait_for_ready=True
            )
        except grpc.aio.AioRpcError as error:
            kind = Unavailable if error.code() in _UNAVAILABLE else RemoteError
            raise kind(
                f"the DB manager at {manager} did not return the log of {trial}:"
                f" {error.code().name}: {error.details()}"
            ) from None
        return [entry.metric.value for entry in reply.observation_log.metric_logs]

    async def close(self) -> None:
        """Close every channel."""
        for channel in self._channels.values():
            await channel.close(None)
        self._channels.clear()

    def _channel(self, manager: Address) -> grpc.aio.Channel:
        if manager not in self._channels:
            options = (("grpc.max_receive_message_length", _MOST_BYTES),)
            self._channels[manager] = (
                grpc.aio.insecure_channel(str(manager), options=options)
                if self._credentials is None
                else grpc.aio.secure_channel(str(manager), self._credentials, options=options)
            )
        return self._channels[manager]
