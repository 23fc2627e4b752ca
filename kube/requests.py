"""HTTP requests to the API server: credentials, timeouts, and answers without errors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import Configuration

from api.types import Json, JsonObject
from kube.answers import error_of, read_object
from kube.connections import Connections, explained

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request."""

    method: str
    path: str
    about: str
    """The purpose, as errors name it."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    form: str = JSON
    """The media type of the body."""
    accept: str = JSON
    """The media types of the answer."""
    limit: aiohttp.ClientTimeout


class Requests:
    """Sends requests over the official client's connections."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration: Any = configuration  # the package's types are not complete
        self._connections: Any = Connections(configuration)

    async def send(self, request: Request) -> JsonObject:
        """Send a request, and return the document of the answer."""
        async with self.answer_to(request) as answer:
            async with explained(request.about):
                content = await answer.read()
            return read_object(content, request.about)

    @asynccontextmanager
    async def answer_to(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request, and give its answer with the content unread; raise an answered error."""
        query = f"?{urlencode(request.query)}" if request.query else ""
        async with explained(request.about):
            answered = await self._connections.request(
                request.method,
                f"{self._configuration.host}{request.path}{query}",
                headers=await self._headers(request),
                body=request.body,
                _request_timeout=request.limit,
            )
        answer: aiohttp.ClientResponse = answered.response
        async with answer:
            if answer.status >= HTTPStatus.BAD_REQUEST:
                async with explained(request.about):
                    content = await answer.read()
                raise error_of(answer.status, content, request.about)
            yield answer

    async def _headers(self, request: Request) -> dict[str, str]:
        # Read for each request: tokens are renewed.
        settings = await self._configuration.auth_settings()
        headers = {
            "Accept": request.accept,
            "Content-Type": request.form,
            "User-Agent": "trialwatch",
        }
        if "BearerToken" in settings:
            headers["Authorization"] = settings["BearerToken"]["value"]
        return headers

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()
