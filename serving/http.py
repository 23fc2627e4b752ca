"""A program's HTTP server: one port, and the probes of the program itself."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.errors import SetupError
from serving.addresses import Address
from serving.every_address import EVERY_ADDRESS, socket_of_all
from serving.slow_headers import TimedRunner

_KEEP_ALIVE: Final = 120.0
"""Seconds; longer than the API server keeps a connection, so that this side never closes first."""
_HEADERS: Final = 10.0
"""Seconds for the headers of a request; the API server sends them at once."""
_LINGERING: Final = 1.0
"""Seconds for the rest of a request that is already answered."""


def add_probes(
    to: web.Application, missing: Callable[[], list[str]], metrics: Callable[[], bytes]
) -> None:
    """Serve /healthz, /readyz and /metrics.

    Args:
        to: the application.
        missing: returns why the program is not ready, a line each; empty when it is ready.
        metrics: returns the metrics in Prometheus' text format.
    """

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        causes = missing()
        if causes:
            return web.Response(
                status=HTTPStatus.SERVICE_UNAVAILABLE,
                text="".join(f"{cause}\n" for cause in causes),
            )
        return web.Response(text="ok\n")

    async def metrics_text(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), content_type="text/plain", charset="utf-8")

    to.router.add_get("/healthz", healthy)
    to.router.add_get("/readyz", ready)
    to.router.add_get("/metrics", metrics_text)


class Server:
    """Serves an application on one port."""

    def __init__(
        self,
        application: web.Application,
        *,
        tls: ssl.SSLContext | None = None,
        grace: float = 0.0,
        header_seconds: float = _HEADERS,
    ) -> None:
        """Serve an application.

        Args:
            application: what answers.
            tls: plaintext if None.
            grace: seconds for requests under way at the end.
            header_seconds: how long the headers of a request may take to arrive.
        """
        self._runner = TimedRunner(
            application,
            header_seconds=header_seconds,
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE,
            lingering_time=_LINGERING,
            shutdown_timeout=grace,
        )
        self._tls = tls

    async def listen(self, address: Address, flag: str) -> Address:
        """Serve; return the address with the number of the port.

        Raises:
            SetupError: the program cannot listen on the address; the error names `flag`.
        """
        await self._runner.setup()
        try:
            await self._site(address).start()
        except OSError as error:
            await self._runner.cleanup()
            cause = f"{flag}: cannot listen on {address} ({error.strerror or error})"
            raise SetupError(f"{cause}; choose another") from None
        return Address(host=address.host, port=self._runner.addresses[0][1])

    def _site(self, address: Address) -> web.BaseSite:
        if address.host == EVERY_ADDRESS:
            taken = socket_of_all(address.port)
            return web.SockSite(self._runner, taken, ssl_context=self._tls)
        return web.TCPSite(self._runner, address.host, address.port, ssl_context=self._tls)

    async def close(self) -> None:
        """Accept no more connections, and finish requests under way."""
        await self._runner.cleanup()
