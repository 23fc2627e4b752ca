"""A registry in this process: counts its requests, and can be slow, away or hostile."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from tests.webhook.registry.image_documents import Document, Image

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve every path with this handler; yield the port on loopback."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    # A handler that never ends is cancelled when its client disconnects.
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def spoken(answer: bytes) -> AsyncIterator[int]:
    """Answer every connection with these bytes; yield the port on loopback."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


@dataclass(kw_only=True)
class StandIn:
    """A correct registry of one repository."""

    tags: dict[str, Document] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Method and last parts of the path: `GET manifests/7`."""
    status: int = HTTPStatus.OK
    """If set, the answer to every request."""
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """The registry answers once it is set."""

    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first request."""

    def __post_init__(self) -> None:
        self.open.set()

    def put(self, tag: str, made: Image) -> None:
        self.tags[tag] = made.manifest
        for document in (made.manifest, made.config):
            self.documents[document.digest] = document

    @property
    def pulls(self) -> int:
        """How many pulls of manifests there were: registries count and limit these."""
        return sum(one.startswith("GET manifests") for one in self.asked)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        what, name = request.path.split("/")[-2:]
        self.asked.append(f"{request.method} {what}/{name}")
        status = self.status
        self.arrived.set()
        await self.open.wait()
        found = self.tags.get(name) or self.documents.get(name)
        if status != HTTPStatus.OK or found is None:
            return web.Response(status=HTTPStatus.NOT_FOUND if status == HTTPStatus.OK else status)
        headers = {"Docker-Content-Digest": found.digest}
        return web.Response(body=found.body, content_type=found.media_type, headers=headers)
