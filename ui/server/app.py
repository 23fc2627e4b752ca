"""The server of the pages on this machine: from its address to its end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from aiohttp import web

from api.errors import RemoteError, SetupError, TrialwatchError
from serving.addresses import Address
from serving.http import Server
from ui.server.built_files import FOLDER, BuiltFiles
from ui.server.events import BEAT
from ui.server.openapi import document
from ui.server.operation import PREFIX, Operation, Problem
from ui.server.operations import operations
from ui.server.pages import Pages
from ui.server.security import LocalGuard, Refusal, add_headers, check_listen, middleware
from ui.server.streams import ExperimentStream, list_stream
from ui.sources.port import ExperimentKey, NotFound, Source

_BEAT_SECONDS: Final = 10.0
_MOST_BODY: Final = 4 << 20
_COMPRESSED_FROM: Final = 1024


def application(source: Source, token: str, folder: Path = FOLDER) -> web.Application:
    """Return the application over a source; calls of its API need the token."""
    pages = Pages(source, lambda: datetime.now(UTC))
    table = operations()
    guard: Any = middleware(LocalGuard(token), _refused)
    app = web.Application(middlewares=[guard, _explained], client_max_size=_MOST_BODY)
    app.on_response_prepare.append(add_headers)
    described = msgspec.json.encode(document(table))

    async def openapi(_: web.Request) -> web.Response:
        return _json(described)

    app.router.add_get(f"{PREFIX}/openapi.json", openapi)
    app.router.add_get(f"{PREFIX}/stream", partial(_list_events, pages))
    app.router.add_get(
        f"{PREFIX}/experiments/{{namespace}}/{{experiment}}/stream",
        partial(_experiment_events, pages),
    )
    for one in table:
        app.router.add_route(one.method, f"{PREFIX}{one.path}", _handler(pages, one))
    app.router.add_route("*", f"{PREFIX}/{{rest:.*}}", _unknown)
    app.router.add_get("/{path:.*}", BuiltFiles(folder).serve)
    return app


@asynccontextmanager
async def served(source: Source, listen: Address, token: str) -> AsyncIterator[str]:
    """Serve the pages on a loopback address; give the address to open, with its token.

    Raises:
        SetupError: the address is not of this machine alone, or cannot be used.
    """
    check_listen(listen)
    server = Server(application(source, token), grace=0.2)
    address = await server.listen(listen, "--listen")
    try:
        yield f"http://{address}/#token={token}"
    finally:
        await server.close()
        await source.close()


def new_token() -> str:
    """Return a new token of 192 random bits."""
    return secrets.token_urlsafe(24)


def _handler(pages: Pages, one: Operation) -> Any:  # noqa: ANN401 - a handler of aiohttp
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = await one.handle(pages, one.read(request))
        if one.answers is str:
            response = web.Response(text=answer, content_type=one.media, charset="utf-8")
            return _compressed(response)
        return _json(msgspec.json.encode(answer))

    return handle


def _json(
    content: bytes, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> web.Response:
    response = web.Response(
        body=content, status=status, content_type="application/json", headers=headers
    )
    return _compressed(response)


def _compressed(response: web.Response) -> web.Response:
    response.headers["Cache-Control"] = "no-store"
    if len(cast("bytes", response.body or b"")) >= _COMPRESSED_FROM:
        response.enable_compression()
    return response


@web.middleware
async def _explained(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - a handler of aiohttp
    """Turn each of the project's errors into an answer with its message."""
    try:
        return cast("web.StreamResponse", await handler(request))
    except NotFound as error:
        return _problem(HTTPStatus.NOT_FOUND, str(error))
    except (RemoteError, SetupError) as error:
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    except TrialwatchError as error:
        return _problem(HTTPStatus.BAD_REQUEST, str(error))
    except web.HTTPRequestEntityTooLarge:
        text = f"the body has more than {_MOST_BODY >> 20} MiB: send a part of it"
        return _problem(HTTPStatus.BAD_REQUEST, text)
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = _problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not for this path")
        response.headers["Allow"] = allowed
        return response


def _problem(status: HTTPStatus, text: str) -> web.Response:
    return _json(msgspec.json.encode(Problem(error=text)), status)


def _refused(refusal: Refusal) -> web.Response:
    response = _problem(refusal.status, refusal.message)
    if refusal.status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def _unknown(request: web.Request) -> web.Response:
    return _problem(HTTPStatus.NOT_FOUND, f"the API has no path {request.path}: see openapi.json")


async def _list_events(pages: Pages, request: web.Request) -> web.StreamResponse:
    return await _stream(request, list_stream(pages))


async def _experiment_events(pages: Pages, request: web.Request) -> web.StreamResponse:
    key = ExperimentKey(request.match_info["namespace"], request.match_info["experiment"])
    last_id = request.headers.get("Last-Event-ID", "")
    with_points = request.query.get("points") == "1"
    stream = ExperimentStream(pages, key, last_id, with_points=with_points)
    return await _stream(request, stream.events())


async def _stream(request: web.Request, events: AsyncGenerator[bytes]) -> web.StreamResponse:
    """Send events until the browser leaves; a beat keeps the connection open."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    async with aclosing(events):
        first = await anext(events)  # before the headers: an error still has its status
        coming = asyncio.ensure_future(anext(events, None))
        try:
            await response.prepare(request)
            await response.write(first)
            while True:
                await asyncio.wait((coming,), timeout=_BEAT_SECONDS)
                if not coming.done():
                    await response.write(BEAT)
                    continue
                piece = coming.result()
                if piece is None:
                    break
                await response.write(piece)
                coming = asyncio.ensure_future(anext(events, None))
        except ConnectionResetError:
            pass  # the browser has left
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
    return response
