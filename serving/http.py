"""HTTP of a program: one port, and what a cluster asks about the program itself."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.errors import SetupError
from serving.addresses import Address

_KEEP_ALIVE: Final = 120.0
"""Seconds; longer than the API server keeps its own end, so that it is never cut off by us."""
_LINGERING: Final = 1.0
"""Seconds for what still comes of a request that has its answer already."""


def add_probes(
    to: web.Application, missing: Callable[[], list[str]], metrics: Callable[[], bytes]
) -> None:
    """Serve /healthz, /readyz and /metrics.

    `missing` says what is yet to come before the program is ready; empty when all is there.
    `metrics` is Prometheus' text.
    """

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        lacking = missing()
        if lacking:
            return web.Response(
                status=HTTPStatus.SERVICE_UNAVAILABLE, text="".join(f"{one}\n" for one in lacking)
            )
        return web.Response(text="ok\n")

    async def measured(_: web.Request) -> web.Response:
        return web.Response(body=metrics(), content_type="text/plain", charset="utf-8")

    to.router.add_get("/healthz", healthy)
    to.router.add_get("/readyz", ready)
    to.router.add_get("/metrics", measured)


class Server:
    """One port on which an application is served."""

    def __init__(
        self,
        application: web.Application,
        *,
        tls: ssl.SSLContext | None = None,
        grace: float = 0.0,
    ) -> None:
        """At the end requests under way get `grace` seconds."""
        self._runner = web.AppRunner(
            application,
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE,
            lingering_time=_LINGERING,
            shutdown_timeout=grace,
        )
        self._tls = tls

    async def listen(self, address: Address, flag: str) -> Address:
        """Serve; return the address with the port that was taken.

        Raises:
            SetupError: the address cannot be listened on; `flag` is named.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, address.host, address.port, ssl_context=self._tls)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            why = f"{flag}: cannot listen on {address} ({error.strerror or error})"
            raise SetupError(f"{why}; choose another") from None
        return Address(host=address.host, port=self._runner.addresses[0][1])

    async def close(self) -> None:
        """Take no more connections, and let requests under way end."""
        await self._runner.cleanup()
