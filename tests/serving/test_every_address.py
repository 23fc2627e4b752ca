"""Without a host, a server listens on each address of the machine: IPv4, and IPv6 if there is one."""

from __future__ import annotations

import asyncio
import http.client
import socket

import grpc
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from serving.addresses import Address, parse_address
from serving.grpc import listen
from serving.http import Server
from serving.metrics import MetricsServer

EVERYWHERE = parse_address(":0")
HOSTS = ["127.0.0.1", *(["::1"] if socket.has_dualstack_ipv6() else [])]


def without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)


def answers(host: str, port: int) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().status
    finally:
        connection.close()


async def http_server() -> tuple[Server, Address]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    application = web.Application()
    application.router.add_get("/metrics", answer)
    server = Server(application)
    assert EVERYWHERE
    return server, await server.listen(EVERYWHERE, "--listen")


@pytest.mark.parametrize("host", HOSTS)
async def test_an_http_server_answers_at_each_address(host: str) -> None:
    server, address = await http_server()
    try:
        assert await asyncio.to_thread(answers, host, address.port) == 200
    finally:
        await server.close()


async def test_without_ipv6_an_http_server_answers_at_the_addresses_of_ipv4(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_ipv6(monkeypatch)
    server, address = await http_server()
    try:
        assert await asyncio.to_thread(answers, "127.0.0.1", address.port) == 200
    finally:
        await server.close()


@pytest.mark.parametrize("ipv6", [True, False])
def test_a_metrics_port_answers_at_each_address(
    monkeypatch: pytest.MonkeyPatch, *, ipv6: bool
) -> None:
    if not ipv6:
        without_ipv6(monkeypatch)
    assert EVERYWHERE
    server = MetricsServer(CollectorRegistry(), EVERYWHERE)
    try:
        for host in HOSTS if ipv6 else HOSTS[:1]:
            assert answers(host, server.address.port) == 200
    finally:
        server.close()


@pytest.mark.parametrize("host", HOSTS)
async def test_a_grpc_server_answers_at_each_address(host: str) -> None:
    server = grpc.aio.server()
    assert EVERYWHERE
    address = listen(server, EVERYWHERE)
    await server.start()
    try:
        target = str(Address(host=host, port=address.port))
        async with grpc.aio.insecure_channel(target) as channel:
            await channel.channel_ready()
    finally:
        await server.stop(None)
