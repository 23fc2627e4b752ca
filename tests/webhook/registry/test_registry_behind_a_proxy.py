"""Registries behind a proxy, by HTTPS_PROXY and NO_PROXY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.certificate_authority import Authority
from tests.webhook.registry.fake_registry import StandIn, served
from tests.webhook.registry.image_documents import image
from tests.webhook.registry.image_lookups import command_of, images
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageUnknown

RUN = ImageCommand(entrypoint=("python",), cmd=("main.py",))


class Proxy:
    """Tunnels to one port for every host; `asked` lists the hosts."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.asked: list[str] = []

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._tunnel, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split("\r\n")[0])
        there = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pour(reader, there[1]), _pour(there[0], writer))


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while some := await source.read(65536):
        sink.write(some)
    sink.close()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_a_registry_is_asked_through_the_proxy_and_neighbours_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry, authority = StandIn(), Authority()
    registry.put("7", image())
    context = authority.server_context("registry.example")
    async with served(registry.answer, context) as port:
        proxy = Proxy(port)
        async with proxy.served() as url:
            monkeypatch.setenv("HTTPS_PROXY", url)
            monkeypatch.setenv("NO_PROXY", ".inside.example,127.0.0.1")
            connector = aiohttp.TCPConnector(ssl=authority.client_context())
            async with images(connector=connector) as asking:
                assert await command_of(asking, "registry.example/x:7") == RUN
                inside = await command_of(asking, f"127.0.0.1:{port}/x:7", seconds=1)

    # The one connection served the manifest and the blob.
    assert proxy.asked == ["CONNECT registry.example:443 HTTP/1.1"]
    assert isinstance(inside, ImageUnknown), "plain HTTP to a port of TLS"
