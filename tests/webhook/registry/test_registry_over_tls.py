"""Registries with host names: over TLS only."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.certificate_authority import Authority
from tests.webhook.registry.fake_registry import StandIn, served
from tests.webhook.registry.image_documents import image
from tests.webhook.registry.image_lookups import command_of, images, logged_causes
from tests.webhook.registry.pull_secret_documents import auth, docker_config
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageUnknown

MADE = image()
RUN = ImageCommand(entrypoint=("python",), cmd=("main.py",))


class EveryNameIsHere(AbstractResolver):
    """Resolves all names to one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.names: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        assert port == 443, "a registry's port was not HTTPS' own"
        self.names.append(host)
        return [
            ResolveResult(
                hostname=host, host="127.0.0.1", port=self._port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def names() -> list[str]:
    return ["registry-1.docker.io", "auth.docker.io", "registry.example", "store.example"]


class World:
    """One server for all names, and a session that finds it."""

    def __init__(self, port: int, trusted: ssl.SSLContext) -> None:
        self.resolver = EveryNameIsHere(port)
        self._trusted = trusted

    def connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(resolver=self.resolver, ssl=self._trusted)


class Registry(StandIn):
    """Like Docker Hub: tokens from one host, blobs from another; `seen` lists the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.put("3.12", MADE)
        self.seen: list[tuple[str, str, str | None]] = []
        self.blobs = "https://store.example"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        authorization = request.headers.get("Authorization")
        self.seen.append((request.host, request.path.split("/")[-2], authorization))
        if request.host == "auth.docker.io":
            return web.json_response({"access_token": "let-me-in"})
        if request.host == "store.example":
            return await super().answer(request)
        if authorization != "Bearer let-me-in":
            challenge = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
            return web.Response(status=401, headers={"WWW-Authenticate": challenge})
        if "/blobs/" in request.path:
            return web.Response(status=307, headers={"Location": self.blobs + request.path})
        return await super().answer(request)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def world(registry: Registry, authority: Authority, names: list[str]) -> AsyncIterator[World]:
    context = authority.server_context(*names)
    async with served(registry.answer, context) as port:
        yield World(port, authority.client_context())


async def test_a_short_name_comes_from_docker_hub(world: World, registry: Registry) -> None:
    secrets = {"s": docker_config({"https://index.docker.io/v1/": ("anna", "1")})}
    async with images(secrets, connector=world.connector()) as asking:
        assert await command_of(asking, "python:3.12", "s") == RUN

    assert registry.seen == [
        ("registry-1.docker.io", "manifests", None),
        ("auth.docker.io", "", f"Basic {auth('anna', '1')}"),
        ("registry-1.docker.io", "manifests", "Bearer let-me-in"),
        ("registry-1.docker.io", "blobs", "Bearer let-me-in"),
        ("store.example", "blobs", None),
    ]
    assert base64.b64decode(auth("anna", "1")) == b"anna:1"


async def test_a_registry_without_a_certificate_gets_no_request(
    world: World, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    async with images(connector=world.connector()) as asking:
        answer = await command_of(asking, "stranger.example/x:3.12")

    assert answer == ImageUnknown("the registry did not answer in time")
    assert "stranger.example does not answer" in logged_causes(caplog)
    assert "certificate" in logged_causes(caplog)
    assert registry.seen == []


@pytest.mark.parametrize(
    "place", ["http://store.example", "http://127.0.0.1:80", "http://10.0.0.1"]
)
async def test_a_registry_over_tls_cannot_redirect_to_plain_http(
    world: World, registry: Registry, place: str
) -> None:
    registry.blobs = place
    async with images(connector=world.connector()) as asking:
        answer = await command_of(asking, "python:3.12")

    assert isinstance(answer, ImageUnknown)
    assert "only https is allowed" in answer.cause
    assert "store.example" not in world.resolver.names
