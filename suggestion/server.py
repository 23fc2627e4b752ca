"""The gRPC server of the suggestion service: its services, limits and port."""

from __future__ import annotations

from typing import Final

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from api import names
from api.errors import RemoteError, SetupError
from api.v1beta1 import api_pb2, api_pb2_grpc
from serving.access.refusals import PermissionDenied, Unauthenticated
from serving.addresses import Address
from serving.error_interceptor import Codes, ErrorInterceptor, Guard, Guards
from serving.grpc import listen, make_server
from suggestion.service.early_stopping_service import EarlyStopping, MarkStopped, ObservationLogs
from suggestion.service.searches import (
    MOST_BYTES,
    QueueFullError,
    Searches,
    SearchMemoryError,
    SearchTimeoutError,
)
from suggestion.service.suggestion_service import suggestion_handler

_CODES: Final[Codes] = {
    PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    SearchTimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
    SearchMemoryError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    QueueFullError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    SetupError: grpc.StatusCode.FAILED_PRECONDITION,
    RemoteError: grpc.StatusCode.ABORTED,
}
SERVICES: Final = (
    "",
    names.SUGGESTION_HEALTH_SERVICE,
    *(
        api_pb2.DESCRIPTOR.services_by_name[name].full_name
        for name in ("Suggestion", "EarlyStopping")
    ),
)
"""The services that have a health; Katib's probes check the second."""


class Server:
    """All services on one port."""

    def __init__(
        self,
        searches: Searches,
        logs: ObservationLogs,
        mark: MarkStopped,
        guard: Guard | None = None,
    ) -> None:
        """Make a server.

        Args:
            searches: do the work of the searches.
            logs: read observation logs.
            mark: mark a trial as stopped early.
            guard: refuses calls; None: all may call.
        """
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]  # its types are incomplete
        interceptor = ErrorInterceptor(
            "the suggestion service", _CODES, log_refusals=True, guards=Guards(access=guard)
        )
        guards = [guard] if guard else []
        self._server = make_server(interceptor, *guards, most_bytes=MOST_BYTES)
        self._server.add_generic_rpc_handlers((suggestion_handler(searches),))
        api_pb2_grpc.add_EarlyStoppingServicer_to_server(EarlyStopping(logs, mark), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    def listen(self, address: Address, tls: grpc.ServerCredentials | None = None) -> Address:
        """Take a port; return the address with the number of the port.

        Raises:
            SetupError: the program cannot listen on the address.
        """
        return listen(self._server, address, tls)

    async def start(self) -> None:
        """Start to serve."""
        for service in SERVICES:
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()

    async def stop(self, grace: float) -> None:
        """Refuse new requests; after at most `grace` seconds, cancel those under way."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
