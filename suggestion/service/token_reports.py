"""Asks the DB manager whether a trial has reported with a token.

The DB manager shows such a trial to no caller without a token. So the question is a read without a
token, of a metric that no trial has.
"""

from __future__ import annotations

from typing import Final

import grpc
import grpc.aio

from api import names
from api.errors import Unavailable
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from serving.addresses import Address

_SECONDS: Final = 5.0
_METRIC: Final = "trialwatch.dev/none"
_HIDDEN: Final = frozenset({grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED})
_SHOWN: Final = frozenset({grpc.StatusCode.OK, grpc.StatusCode.FAILED_PRECONDITION})
"""The second: several namespaces have a trial of this name, and each of them is open."""


class DbManagerTokenReports:
    """`suggestion.service.search_access.TokenReports`, by one DB manager."""

    def __init__(
        self, manager: Address, tls: grpc.ChannelCredentials | None, seconds: float = _SECONDS
    ) -> None:
        """Make it.

        Args:
            manager: the DB manager.
            tls: the channel's credentials, without a token; None: no TLS.
            seconds: the longest wait for an answer.
        """
        self._seconds = seconds
        self._channel = (
            grpc.aio.insecure_channel(str(manager))
            if tls is None
            else grpc.aio.secure_channel(str(manager), tls)
        )
        self._name = f"the DB manager at {manager}"

    async def has_reported(self, namespace: str, trial: str) -> bool:
        """Return whether the DB manager hides the trial from callers without a token.

        Raises:
            Unavailable: no answer in time, or an answer that says neither.
        """
        stub = api_pb2_grpc.DBManagerStub(self._channel)
        request = pb.GetObservationLogRequest(trial_name=trial, metric_name=_METRIC)
        metadata = ((names.NAMESPACE_METADATA, namespace),) if namespace else ()
        call = stub.GetObservationLog(request, timeout=self._seconds, metadata=metadata)
        code = await call.code()
        if code in _HIDDEN:
            return True
        if code in _SHOWN:
            return False
        raise Unavailable(
            f"{self._name} did not say whether trial {trial} has reported with a token:"
            f" {code.name}: {await call.details()}"
        )

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close(None)
