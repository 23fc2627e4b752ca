"""`grpc.health.v1.Health`: the truth of this moment, by a ping of the database.

Asked for "", `grpc.health.v1.Health` or one of our services the answer is SERVING or NOT_SERVING,
never an error, so that who asks learns which of both. Any other name is NOT_FOUND.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from api.errors import UserError
from api.faults import quoted
from api.trialwatchv1 import observations_pb2
from api.v1beta1 import api_pb2
from dbmanager.service.connection import Connection
from dbmanager.service.row_notifier import News

DB_MANAGER: Final = api_pb2.DESCRIPTOR.services_by_name["DBManager"].full_name
OBSERVATIONS: Final = observations_pb2.DESCRIPTOR.services_by_name["Observations"].full_name
HEALTH: Final = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
SERVICES = (DB_MANAGER, OBSERVATIONS, HEALTH)

_Status = health_pb2.HealthCheckResponse.ServingStatus
_Context = grpc.aio.ServicerContext[Any, Any]


class UnknownService(UserError):
    """The health of a service that is not here was asked for."""


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # it has no types
    """Answers for the whole server, whichever of its services is named."""

    def __init__(self, connection: Connection, news: News, *, period: float = 1.0) -> None:
        self._connection, self._news, self._period = connection, news, period

    async def Check(  # noqa: N802 - the wire's name
        self, request: health_pb2.HealthCheckRequest, _context: _Context
    ) -> health_pb2.HealthCheckResponse:
        """Ping, and say how it went."""
        if not _known(request.service):
            known = ", ".join(quoted(name) for name in ("", *SERVICES))
            raise UnknownService(f"service: {quoted(request.service)} is not here; ask for {known}")
        return health_pb2.HealthCheckResponse(status=await self._status())

    async def Watch(  # noqa: N802 - the wire's name
        self, request: health_pb2.HealthCheckRequest, _context: _Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Say it now, and whenever it changes."""
        last = None
        with self._news.of("") as woken:
            while True:
                over = self._news.over  # before the look, so that the last word is NOT_SERVING
                status = (
                    await self._status() if _known(request.service) else _Status.SERVICE_UNKNOWN
                )
                if status != last:
                    yield health_pb2.HealthCheckResponse(status=status)
                last = status
                if over:
                    return
                try:
                    async with asyncio.timeout(self._period):
                        await woken.wait()
                except TimeoutError:
                    continue

    async def _status(self) -> health_pb2.HealthCheckResponse.ServingStatus:
        if self._news.over or not await self._connection.alive():
            return _Status.NOT_SERVING
        return _Status.SERVING


def _known(service: str) -> bool:
    return service == "" or service in SERVICES
