"""Clients that connect and send nothing, or half a request, are cut; others are served meanwhile."""

from __future__ import annotations

import asyncio

import aiohttp
import grpc.aio
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from serving.addresses import Address
from serving.error_interceptor import ErrorInterceptor
from serving.grpc import listen, make_server
from serving.http import Server
from serving.metrics import MetricsServer

LOOPBACK = Address(host="127.0.0.1", port=0)
HALF = [b"", b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: "]
SECONDS = 0.3


async def is_cut(address: Address, sent: bytes) -> bool:
    """Return whether the server closes a connection on which no more bytes come."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(sent)
    try:
        async with asyncio.timeout(30):
            await reader.read()
    except ConnectionResetError:
        return True
    finally:
        writer.close()
    return True


@pytest.mark.parametrize("sent", HALF, ids=["nothing", "half"])
async def test_a_connection_without_whole_headers_is_cut(sent: bytes) -> None:
    application = web.Application()

    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    application.router.add_get("/", hello)
    server = Server(application, header_seconds=SECONDS)
    address = await server.listen(LOOPBACK, "--listen")
    try:
        async with aiohttp.ClientSession() as session:
            for _ in range(2):  # a kept connection is not cut between two requests
                async with session.get(f"http://{address}/") as response:
                    assert await response.text() == "hello"
                await asyncio.sleep(2 * SECONDS)
            assert await is_cut(address, sent)
    finally:
        await server.close()


@pytest.mark.parametrize("sent", HALF, ids=["nothing", "half"])
async def test_a_connection_to_the_metrics_port_without_a_request_is_cut(sent: bytes) -> None:
    server = MetricsServer(CollectorRegistry(), LOOPBACK, seconds=SECONDS)
    try:
        assert await is_cut(server.address, sent)
    finally:
        await asyncio.to_thread(server.close)


async def test_a_grpc_connection_without_a_handshake_is_cut() -> None:
    server: grpc.aio.Server = make_server(
        ErrorInterceptor("it", {}), most_bytes=1, server_handshake_timeout_ms=300
    )
    address = listen(server, LOOPBACK)
    await server.start()
    try:
        assert await is_cut(address, b"")
    finally:
        await server.stop(None)
