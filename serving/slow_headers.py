"""Cuts HTTP connections whose request headers do not arrive in time: aiohttp waits for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler


class TimedRunner(web.AppRunner):
    """Runs an application whose clients must send the headers of a request in time."""

    def __init__(self, application: web.Application, *, header_seconds: float, **how: Any) -> None:  # noqa: ANN401 - aiohttp's own
        """`header_seconds`: from the connection, or from the first byte of a later request."""
        super().__init__(application, **how)
        self._header_seconds = header_seconds

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        made = server.__class__
        seconds = self._header_seconds

        class TimedServer(made):  # type: ignore[misc, valid-type]  # the class of this aiohttp
            def __call__(self) -> RequestHandler:
                return _TimedHandler(self, seconds, loop=self._loop, **self._kwargs)

        server.__class__ = TimedServer
        return server


class _TimedHandler(RequestHandler):
    """One connection."""

    __slots__ = ("_seconds", "_timer")

    def __init__(self, manager: web.Server, seconds: float, **how: Any) -> None:  # noqa: ANN401 - aiohttp's own
        super().__init__(manager, **how)
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._messages or self._current_request is not None:
            self._stop()
        elif self._timer is None:
            self._start()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._cut)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        self._timer = None
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
