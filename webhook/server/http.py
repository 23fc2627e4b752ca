"""HTTP: the reviews, and what a cluster asks about the server itself."""

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
"""Of a request: twice what the API server takes of an object, and the review around it."""
_SECONDS: Final = 10.0
"""What the API server waits where the request does not say."""
_MOST_SECONDS: Final = 30.0
_MARGIN: Final = 0.1
"""The part of the time that is left for the way back."""
_JSON: Final = "application/json"
_log = get_logger(__name__)


class AdmissionHandler(Protocol):
    """Who answers the reviews of one path."""

    what: str
    """What is reviewed, as in "the pod"."""

    async def review(self, request: AdmissionRequest, started: float, deadline: float) -> bytes:
        """Answer before the event loop's clock is at the deadline; it was `started` at first.

        Raises:
            NoReview: the request is about something else.
            RecursionError: what it is about is nested too deeply.
        """


class AdmissionEndpoint:
    """Answers the requests of one path."""

    def __init__(self, reviewer: AdmissionHandler, metrics: Metrics, read_seconds: float) -> None:
        self._reviewer, self._metrics, self._read_seconds = reviewer, metrics, read_seconds

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a review; what is none gets a 4xx."""
        started = asyncio.get_running_loop().time()
        try:
            asked = await self._read(request)
            return await self._answered(asked, started, _deadline(request, started))
        except InvalidReview as error:
            return self._rejected(HTTPStatus.BAD_REQUEST, str(error))
        except web.HTTPException as error:
            return self._rejected(HTTPStatus(error.status), error.text or error.reason)

    async def _answered(
        self, asked: AdmissionRequest, started: float, deadline: float
    ) -> web.Response:
        what = self._reviewer.what
        try:
            return _json(await self._reviewer.review(asked, started, deadline))
        except InvalidReview:
            raise
        except RecursionError:
            return self._rejected(HTTPStatus.BAD_REQUEST, f"{what} is nested too deeply")
        except Exception:  # noqa: BLE001 - whatever it is, the API server gets an answer
            _log.exception("internal error", uid=asked.uid)
            self._metrics.failed()
            message = f"trialwatch could not judge {what} by a fault of its own; its log has more"
            return _json(refused(asked.uid, HTTPStatus.INTERNAL_SERVER_ERROR, message))

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
        self._metrics.rejected(code)
        _log.info("rejected a request that is not a review", code=int(code), cause=message)
        return web.Response(status=code, text=f"{message}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerParts:
    """What the server is made of."""

    reviewers: Mapping[str, AdmissionHandler]
    """By path."""
    metrics: Metrics
    missing: Callable[[], list[str]]
    """Says what is yet to come before anything can be judged; empty when all is there."""
    read_seconds: float = _SECONDS
    """How long a request may take to arrive."""


def application(parts: ServerParts, *, reviews: bool = True) -> web.Application:
    """Make the HTTP application; without `reviews` only what is asked about the server."""
    made = web.Application(client_max_size=MOST_BYTES)
    add_probes(made, parts.missing, parts.metrics.text)
    if reviews:
        for path, reviewer in parts.reviewers.items():
            answers = AdmissionEndpoint(reviewer, parts.metrics, parts.read_seconds)
            made.router.add_post(path, answers.answer)
    return made


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=_JSON)


def _deadline(request: web.Request, started: float) -> float:
    """Return when the review must be over, as the API server's `timeout` says."""
    text = request.query.get("timeout", "").removesuffix("s")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _SECONDS
    if not 0 < seconds <= _MOST_SECONDS:
        seconds = _SECONDS
    return started + seconds * (1 - _MARGIN)
