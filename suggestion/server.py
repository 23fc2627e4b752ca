"""The gRPC server: which services, which limits, which port."""

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
from suggestion.servicer import Suggestion
from suggestion.stopping import EarlyStopping, Logs, Mark

_MOST_BYTES: Final = 64 * 1024 * 1024
"""An experiment with a hundred thousand trials is less."""
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
"""Whose health may be asked for; the second is what Katib's probes ask for."""


class Server:
    """All services on one port."""

    def __init__(self, logs: Logs, mark: Mark) -> None:
        # One worker: scikit-optimize's warnings are silenced for the whole process meanwhile.
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
        """Serve."""
        for service in SERVICES:
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()

    async def stop(self, grace: float) -> bool:
        """Take no more requests, and let those under way end, for at most `grace` seconds.

        Returns whether they have ended: a search that is still computing cannot be interrupted.
        """
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
        idle = self._worker.submit(_nothing)
        self._worker.shutdown(wait=False)
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                await asyncio.wrap_future(idle)
        except TimeoutError:
            return False
        return True


def _nothing() -> None:
    """Be done when all before is done."""
