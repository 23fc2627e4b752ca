"""The gRPC server of the suggestion service: its services, limits and port."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from api import names
from api.errors import RemoteError, SetupError
from api.v1beta1 import api_pb2, api_pb2_grpc
from serving.addresses import Address
from serving.grpc import Codes, ErrorInterceptor, listen, make_server
from suggestion.service.early_stopping_service import EarlyStopping, MarkStopped, ObservationLogs
from suggestion.service.suggestion_service import Suggestion

_MOST_BYTES: Final = 64 * 1024 * 1024
"""Bytes of a request; an experiment with a hundred thousand trials has fewer."""
_LAST_SECONDS: Final = 1.0
_CODES: Final[Codes] = {
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

    def __init__(self, logs: ObservationLogs, mark: MarkStopped) -> None:
        # One worker, because scikit-optimize's warnings are disabled for the whole process.
        self._worker = ThreadPoolExecutor(1, "search")
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]  # its types are incomplete
        interceptor = ErrorInterceptor("the suggestion service", _CODES, log_refusals=True)
        self._server = make_server(interceptor, most_bytes=_MOST_BYTES)
        api_pb2_grpc.add_SuggestionServicer_to_server(Suggestion(self._worker), self._server)
        api_pb2_grpc.add_EarlyStoppingServicer_to_server(EarlyStopping(logs, mark), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    def listen(self, address: Address) -> Address:
        """Take a port; return the address with the number of the port.

        Raises:
            SetupError: the program cannot listen on the address.
        """
        return listen(self._server, address)

    async def start(self) -> None:
        """Start to serve."""
        for service in SERVICES:
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()

    async def stop(self, grace: float) -> bool:
        """Refuse new requests, and wait at most `grace` seconds for those under way.

        Returns whether all have ended: a running search cannot be interrupted.
        """
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
        idle = self._worker.submit(_do_nothing)
        self._worker.shutdown(wait=False)
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                await asyncio.wrap_future(idle)
        except TimeoutError:
            return False
        return True


def _do_nothing() -> None:
    """Return; the worker calls this after all earlier work."""
