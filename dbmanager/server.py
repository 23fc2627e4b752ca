"""The gRPC server of the DB manager: its services, limits and port."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from api.report_limits import LARGEST_MESSAGE
from api.trialwatchv1 import observations_pb2_grpc
from api.v1beta1 import api_pb2_grpc
from dbmanager.service.connection import Connection
from dbmanager.service.health import SERVICES, Health, UnknownService
from dbmanager.service.large_reports import LargeReports
from dbmanager.service.metrics import Metrics
from dbmanager.service.observations import Observations
from dbmanager.service.replies import REPLY_BYTES, ReplyTooLarge
from dbmanager.service.requests import MOST_BYTES
from dbmanager.service.row_notifier import RowNotifier
from dbmanager.service.servicer import DBManager
from dbmanager.settings import FOUR_MEBIBYTES
from dbmanager.store.contract import AmbiguousTrial
from serving.access.refusals import PermissionDenied, Unauthenticated
from serving.addresses import Address
from serving.call_limits import Limits
from serving.error_interceptor import Codes, ErrorInterceptor, Guards
from serving.fair_budget import FairBudget
from serving.grpc import listen, listen_on_socket, make_server

_CODES: Final[Codes] = {
    PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    AmbiguousTrial: grpc.StatusCode.FAILED_PRECONDITION,
    ReplyTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    UnknownService: grpc.StatusCode.NOT_FOUND,
}
_MOST_METADATA: Final = 64 * 1024
"""Bytes."""
LIMITS: Final = Limits(request_bytes=LARGEST_MESSAGE)
"""Large reports are parsed and stored one after the other: small calls run in between."""


class Server:
    """All services over one store."""

    def __init__(
        self,
        connection: Connection,
        metrics: Metrics | None = None,
        *,
        max_reply: int = FOUR_MEBIBYTES,
        poll: float = 1.0,
        guards: Guards | None = None,
    ) -> None:
        """Make a server.

        Args:
            connection: to the store.
            metrics: count what the server does.
            max_reply: bytes of the largest reply of `GetObservationLog`.
            poll: seconds after which watchers read what other programs have written.
            guards: protect the server; by default, only the usual limits do.
        """
        metrics = metrics or Metrics()
        guards = guards or Guards(limits=LIMITS)
        self._notifier = RowNotifier()
        interceptor = ErrorInterceptor(
            "the DB manager",
            _CODES,
            answered=metrics.answered,
            guards=guards,
        )
        self._server = make_server(
            interceptor,
            *([guards.access] if guards.access else []),
            LargeReports(),
            most_bytes=MOST_BYTES,
            largest_request=LARGEST_MESSAGE,
            max_metadata_size=_MOST_METADATA,
        )
        replies = FairBudget(REPLY_BYTES)
        manager = DBManager(
            connection, self._notifier, metrics, max_reply=max_reply, replies=replies
        )
        api_pb2_grpc.add_DBManagerServicer_to_server(manager, self._server)
        observations = Observations(connection, self._notifier, poll=poll, replies=replies)
        observations_pb2_grpc.add_ObservationsServicer_to_server(observations, self._server)
        health = Health(connection, self._notifier, period=poll)
        health_pb2_grpc.add_HealthServicer_to_server(health, self._server)
        reflection.enable_server_reflection((*SERVICES, reflection.SERVICE_NAME), self._server)

    def listen(self, address: Address, tls: grpc.ServerCredentials | None = None) -> Address:
        """Take a port; return the address with the number of the port.

        Raises:
            SetupError: the program cannot listen on the address.
        """
        return listen(self._server, address, tls)

    def listen_on_socket(self, path: Path) -> None:
        """Listen on a Unix socket, whose directory only this user can enter.

        Raises:
            SetupError: the program cannot listen there.
        """
        listen_on_socket(self._server, path)

    async def start(self) -> None:
        """Start to serve."""
        await self._server.start()

    async def stop(self, grace: float) -> None:
        """Refuse new requests, and wait at most `grace` seconds for those under way."""
        self._notifier.end()
        await self._server.stop(grace)
