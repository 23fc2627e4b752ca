"""A request of the pod's local server, and its response, as values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, read to its end."""

    method: str
    path: str
    """Without the query."""
    query: str = ""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Its response."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"


Route: TypeAlias = Callable[[Request], Response]
"""Answers requests. The server calls it from several threads at once."""


def json_response(status: int, document: Mapping[str, Any]) -> Response:
    """Return a response with a JSON object."""
    return Response(status=status, body=json.dumps(document).encode() + b"\n")
