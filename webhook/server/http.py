"""The HTTP server: AdmissionReviews, probes and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from aiohttp import web

from serving.http import add_probes
from serving.logs import get_logger
from webhook.server.admission_review import AdmissionRequest, InvalidReview, read_request, refused
from webhook.server.metrics import Metrics

MOST_BYTES: Final = 8 * 1024 * 1024
"""The longest request: twice the API server's limit for an object, and what surrounds it."""
_SECONDS: Final = 10.0
"""The API server's default timeout of a webhook."""
_MOST_SECONDS: Final = 30.0
_MARGIN: Final = 0.1
"""The part of the timeout that is left for the response to arrive."""
_JSON: Final = "application/json"
_log = get_logger(__name__)


class AdmissionHandler(Protocol):
    """Answers the AdmissionReviews of one path."""

    subject: str
    """The kind of object, for messages: "the pod"."""

    async def respond(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Write the response before the event loop's clock reaches the deadline.

        `started` is when the request arrived.

        Raises:
            InvalidReview: the request is not for this path.
            RecursionError: the object is nested too deeply.
        """


class AdmissionEndpoint:
    """Answers the HTTP requests of one path."""

    def __init__(self, handler: AdmissionHandler, metrics: Metrics, read_seconds: float) -> None:
        self._handler, self._metrics, self._read_seconds = handler, metrics, read_seconds

    async def answer(self, request: web.Request) -> web.Response:
        """Answer an AdmissionReview; other requests get a 4xx."""
        started = asyncio.get_running_loop().time()
        try:
            review = await self._read(request)
            return await self._answered(review, started, _deadline(request, started))
        except InvalidReview as error:
            return self._rejected(HTTPStatus.BAD_REQUEST, str(error))
        except web.HTTPException as error:
            return self._rejected(HTTPStatus(error.status), error.text or error.reason)

    async def _answered(
        self, review: AdmissionRequest, started: float, deadline: float
    ) -> web.Response:
        subject = self._handler.subject
        try:
            return _json(await self._handler.respond(review, started, deadline))
        except InvalidReview:
            raise
        except RecursionError:
            return self._rejected(HTTPStatus.BAD_REQUEST, f"{subject} is nested too deeply")
        except Exception:  # noqa: BLE001 - the API server gets an answer in any case
            _log.exception("internal error", uid=review.uid)
            self._metrics.count_fault()
            message = f"trialwatch failed to review {subject}; the webhook's log has the error"
            return _json(refused(review.uid, HTTPStatus.INTERNAL_SERVER_ERROR, message))

    async def _read(self, request: web.Request) -> AdmissionRequest:
        if request.content_type != _JSON:
            raise web.HTTPUnsupportedMediaType(text=f"send {_JSON}")
        try:
            async with asyncio.timeout(self._read_seconds):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="the request did not arrive in time") from None
        return read_request(body)

    def _rejected(self, code: HTTPStatus, message: str) -> web.Response:
        self._metrics.count_rejected_request(code)
        _log.info("rejected a request that is not a review", code=int(code), cause=message)
        return web.Response(status=code, text=f"{message}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerParts:
    """What the server is made of."""

    handlers: Mapping[str, AdmissionHandler]
    """By path."""
    metrics: Metrics
    missing: Callable[[], list[str]]
    """Returns what the webhook still lacks; empty: it is ready."""
    read_seconds: float = _SECONDS
    """How long the body of a request may take to arrive."""


def application(parts: ServerParts, *, reviews: bool = True) -> web.Application:
    """Make the HTTP application; without `reviews` only probes and metrics."""
    app = web.Application(client_max_size=MOST_BYTES)
    add_probes(app, parts.missing, parts.metrics.text)
    if reviews:
        for path, handler in parts.handlers.items():
            endpoint = AdmissionEndpoint(handler, parts.metrics, parts.read_seconds)
            app.router.add_post(path, endpoint.answer)
    return app


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=_JSON)


def _deadline(request: web.Request, started: float) -> float:
    """Return when the response must be written, by the request's `timeout`."""
    text = request.query.get("timeout", "").removesuffix("s")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _SECONDS
    if not 0 < seconds <= _MOST_SECONDS:
        seconds = _SECONDS
    return started + seconds * (1 - _MARGIN)
