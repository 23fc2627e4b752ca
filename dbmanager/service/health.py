"""`grpc.health.v1.Health`: each check pings the database.

For "", `grpc.health.v1.Health` and the services of this server, the answer is SERVING or
NOT_SERVING, never an error. For any other name it is NOT_FOUND.

While the database is full, the services for metrics are NOT_SERVING: reports are refused. "" is
SERVING, because Kubernetes would keep the deletes away that make room. In both cases the trailing
metadata `trialwatch-cause` has the reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from api import names
from api.errors import UserError
from api.faults import quoted
from api.trialwatchv1 import observations_pb2
from api.v1beta1 import api_pb2
from dbmanager.service.connection import Connection
from dbmanager.service.row_notifier import RowNotifier

DB_MANAGER: Final = api_pb2.DESCRIPTOR.services_by_name["DBManager"].full_name
OBSERVATIONS: Final = observations_pb2.DESCRIPTOR.services_by_name["Observations"].full_name
HEALTH: Final = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
SERVICES = (DB_MANAGER, OBSERVATIONS, HEALTH)

_Status = health_pb2.HealthCheckResponse.ServingStatus
_Context = grpc.aio.ServicerContext[Any, Any]


class UnknownService(UserError):
    """A caller asked for the health of a service that this server does not have."""


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # it has no types
    """Reports one health for all services of the server."""

    def __init__(
        self, connection: Connection, notifier: RowNotifier, *, period: float = 1.0
    ) -> None:
        self._connection, self._notifier, self._period = connection, notifier, period

    async def Check(  # noqa: N802 - the wire's name
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> health_pb2.HealthCheckResponse:
        """Ping, and return whether the database answered."""
        if not _known(request.service):
            known = ", ".join(quoted(name) for name in ("", *SERVICES))
            raise UnknownService(
                f"service: {quoted(request.service)} is not a service of this server; send one of"
                f" {known}"
            )
        status = await self._status(request.service)
        cause = self._connection.full or self._connection.cause
        if cause:
            context.set_trailing_metadata(((names.CAUSE_METADATA, _header(cause)),))
        return health_pb2.HealthCheckResponse(status=status)

    async def Watch(  # noqa: N802 - the wire's name
        self, request: health_pb2.HealthCheckRequest, _context: _Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Send the health now, and again when it changes."""
        last = None
        with self._notifier.subscribe("") as changed:
            while True:
                ending = self._notifier.ending  # before the ping: the last status is NOT_SERVING
                status = (
                    await self._status(request.service)
                    if _known(request.service)
                    else _Status.SERVICE_UNKNOWN
                )
                if status != last:
                    yield health_pb2.HealthCheckResponse(status=status)
                last = status
                if ending:
                    return
                try:
                    async with asyncio.timeout(self._period):
                        await changed.wait()
                except TimeoutError:
                    continue

    async def _status(self, service: str) -> health_pb2.HealthCheckResponse.ServingStatus:
        if self._notifier.ending or not await self._connection.alive():
            return _Status.NOT_SERVING
        if self._connection.full and service in {DB_MANAGER, OBSERVATIONS}:
            return _Status.NOT_SERVING
        return _Status.SERVING


def _header(text: str) -> str:
    """Return a text as metadata can carry it."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def _known(service: str) -> bool:
    return service == "" or service in SERVICES
