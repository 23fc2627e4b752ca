"""Hostile registries: a look-up always ends in time with an answer."""

from __future__ import annotations

import asyncio
import itertools
import json
import random

import pytest
from aiohttp import web

from tests.webhook.registry.fake_registry import Handler, StandIn, served, spoken
from tests.webhook.registry.image_documents import LAYER, Document, image, index
from tests.webhook.registry.image_lookups import asked, command_of, images
from tests.webhook.registry.pull_secret_documents import docker_config
from webhook.model.images import ImageCommand
from webhook.model.lookups import ImageUnknown

MADE = image()
RUN = ImageCommand(entrypoint=("python",), cmd=("main.py",))


async def cause_of(handler: Handler) -> str:
    """Look up an image with a login for its registry, and return why it is unknown."""
    async with served(handler) as port:
        domain = f"127.0.0.1:{port}"
        answer = await asked(f"{domain}/x:7", {"s": docker_config({domain: ("anna", "1")})})
    assert isinstance(answer, ImageUnknown)
    return answer.cause


async def test_an_endless_body_is_cut_off() -> None:
    sent = 0

    async def pour(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)
            sent += 65536

    assert await cause_of(pour) == "127.0.0.1 sends more than 4194304 bytes"
    assert sent < 64 * 1024 * 1024


async def test_a_slow_response_ends_at_the_time_limit() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    async with served(drip) as port, images() as asking:
        answer = await command_of(asking, f"127.0.0.1:{port}/x", seconds=0.1)

    assert answer == ImageUnknown("the registry did not answer in time")


async def test_a_look_up_takes_at_most_three_seconds_whatever_the_deadline() -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3600)
        return web.Response(text=str(request))

    assert await cause_of(never) == "the registry did not answer in time"


async def test_a_circle_of_redirects_ends() -> None:
    numbers = itertools.count()

    async def round_about(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(f"{request.path}?{next(numbers)}")

    assert "redirects more than 5 times in a row" in await cause_of(round_about)
    assert next(numbers) < 10


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://kubernetes.default.svc/",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "http://[bad",
        "https://x:99999/",
    ],
)
async def test_a_redirect_to_an_address_without_tls_is_refused(place: str) -> None:
    async def elsewhere(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": place})

    cause = await cause_of(elsewhere)

    assert (
        "only https is allowed" in cause or "an invalid address" in cause or "not answer" in cause
    )


async def test_a_login_stays_with_its_registry_when_blobs_are_elsewhere() -> None:
    """Signed addresses stay exactly as written too."""
    store, seen = StandIn(), list[tuple[str, str | None]]()
    store.put("7", MADE)
    signed = "sig=a%2Fb%20c%2B&x=%E4"

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        seen.append((request.raw_path, request.headers.get("Authorization")))
        return await store.answer(request)

    async with served(elsewhere) as other:

        async def registry(request: web.Request) -> web.StreamResponse:
            if "Authorization" not in request.headers:
                return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"})
            location = f"http://127.0.0.1:{other}{request.path}?{signed}"
            return web.Response(status=307, headers={"Location": location})

        async with served(registry) as port:
            domain = f"127.0.0.1:{port}"
            secrets = {"s": docker_config({domain: ("anna", "1")})}
            assert await asked(f"{domain}/x:7", secrets) == RUN

    assert len(seen) == 2
    assert all(path.endswith(f"?{signed}") for path, _ in seen)
    assert {authorization for _, authorization in seen} == {None}


async def test_a_host_that_stores_blobs_never_gets_the_login() -> None:
    asked_for = 0

    async def greedy(_: web.Request) -> web.StreamResponse:
        nonlocal asked_for
        asked_for += 1
        return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"})

    async with served(greedy) as other:

        async def registry(_: web.Request) -> web.StreamResponse:
            location = f"http://127.0.0.1:{other}/v2/x/manifests/7"
            return web.Response(status=307, headers={"Location": location})

        assert "does not let the login" in await cause_of(registry)
    assert asked_for == 1


@pytest.mark.parametrize(
    ("challenge", "cause"),
    [
        ('Bearer realm="http://evil.example/token"', "only https is allowed"),
        ('Bearer realm="http://169.254.169.254/token"', "only https is allowed"),
        ('Bearer realm="//evil.example/token"', "only https is allowed"),
        ('Bearer realm="file:///etc/passwd"', "gives no valid address for tokens"),
        ('Bearer realm="\\"', "gives no valid address for tokens"),
        ("Bearer", "gives no valid address for tokens"),
        ("Negotiate", "does not let the login"),
        ("", "does not let the login"),
    ],
)
async def test_a_challenge_cannot_send_a_login_to_another_host_without_tls(
    challenge: str, cause: str
) -> None:
    async def registry(_: web.Request) -> web.StreamResponse:
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    assert cause in await cause_of(registry)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"token": 7}',
        b'{"token": "a\\nX-Evil: b"}',
        b'{"token": "\\u00e9"}',
        b"[" * 100_000,
        b" " * (256 * 1024 + 1),
    ],
)
async def test_a_malformed_token_is_not_used(body: bytes) -> None:
    async def registry(request: web.Request) -> web.StreamResponse:
        if request.path == "/token":
            return web.Response(body=body)
        realm = f"http://{request.host}/token"
        return web.Response(status=401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"'})

    cause = await cause_of(registry)

    causes = ("no token", "not JSON", "not a JSON object", "sends more than")
    assert any(words in cause for words in causes)


@pytest.mark.parametrize("what", ["manifest", "config"])
async def test_a_document_with_another_digest_is_refused(what: str) -> None:
    registry, other = StandIn(), image(["evil"])
    registry.put("7", MADE)
    true, false = getattr(MADE, what), getattr(other, what)
    registry.documents[true.digest] = false
    name = f"x@{MADE.manifest.digest}"

    async with served(registry.answer) as port:
        answer = await asked(f"127.0.0.1:{port}/{name}")

    assert isinstance(answer, ImageUnknown)
    assert answer.cause == f"the registry's answer does not match its digest {true.digest}"


async def test_endlessly_nested_indexes_are_refused() -> None:
    registry, inner = StandIn(), MADE.manifest
    for _ in range(9):
        inner = index({"linux/amd64": inner})
        registry.documents[inner.digest] = inner
    registry.tags["7"] = inner

    assert "more than 3 nested image indexes" in await cause_of(registry.answer)


@pytest.mark.parametrize(
    "body",
    [b"", b"garbage", b"\xff" * 1000, b"[" * 100_000, b'{"config": {"digest": "/../../x"}}', LAYER],
)
async def test_a_malformed_document_is_named_in_the_cause(body: bytes) -> None:
    registry = StandIn()
    registry.tags["7"] = Document(body, "application/json")

    assert "the registry's answer" in await cause_of(registry.answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x16\x03\x01",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
        b"HTTP/1.1 99999 ?\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_a_server_that_does_not_speak_http_gets_an_answer(answer: bytes) -> None:
    async with spoken(answer) as port:
        assert isinstance(await asked(f"127.0.0.1:{port}/x"), ImageUnknown)


async def test_every_message_is_short() -> None:
    registry, long = StandIn(), "x" * 100_000
    for body in (
        b'{"config": {}, "os": "%s"}' % long.encode(),
        b'{"os": ["%s"], "config": {"Cmd": "%s"}}' % (long.encode(), long.encode()),
    ):
        config = Document(body, "application/json")
        manifest = Document(json.dumps({"config": config.descriptor()}).encode(), "text/plain")
        registry.documents[config.digest] = config
        registry.tags["7"] = manifest
        assert len(await cause_of(registry.answer)) < 300
    registry.tags["7"] = index({f"{number}{long}/{long}": MADE.manifest for number in range(9)})
    assert len(await cause_of(registry.answer)) < 900
    async with spoken(b"HTTP/1.1 200 OK\r\nX" + b"\x00\n" * 3000 + b": y\r\n\r\n") as port:
        answer = await asked(f"127.0.0.1:{port}/x")
    assert isinstance(answer, ImageUnknown)
    assert len(answer.cause) < 300
    assert "\n" not in answer.cause


async def test_a_compressed_body_is_not_decompressed() -> None:
    async def packed(_: web.Request) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip"}
        return web.Response(body=json.dumps({"a": 1}).encode(), headers=headers)

    assert "is not the manifest" in await cause_of(packed)


_PARTS = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n",
    b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /v2/x/manifests/7\r\n",
    b"Content-Type: application/vnd.oci.image.manifest.v1+json\r\n",
    b"Content-Length: %d\r\n" % len(MADE.manifest.body),
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: br\r\n",
    b"\r\n",
    MADE.manifest.body,
    MADE.config.body,
)


async def test_any_bytes_of_a_registry_get_an_answer(fuzz_seconds: float) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - to do it again
    dice = random.Random(seed)
    loop = asyncio.get_running_loop()
    end = loop.time() + fuzz_seconds
    while loop.time() < end:
        parts = bytearray(b"".join(dice.choices(_PARTS, k=dice.randint(1, 8))))
        for _ in range(dice.choice((0, 0, 1, 8))):
            parts[dice.randrange(len(parts))] = dice.randrange(256)
        async with spoken(bytes(parts)) as port, images() as asking:
            answer = await command_of(asking, f"127.0.0.1:{port}/x:7", seconds=1)
        assert isinstance(answer, ImageUnknown)
