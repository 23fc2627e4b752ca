"""Reads the API server's answers; an error becomes one of `kube.errors`, with its message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from api.documents import mappings_at, text_at
from api.errors import Fault, RemoteError, TrialwatchError, Unavailable
from api.types import Json, JsonObject
from kube.cluster import Change, ChangeType, Kind
from kube.errors import AlreadyExists, Conflict, Forbidden, Gone, Invalid, NotFound

_ALREADY_EXISTS: Final = "AlreadyExists"
_ERRORS: Final[Mapping[int, type[TrialwatchError]]] = {
    HTTPStatus.BAD_REQUEST: Invalid,
    HTTPStatus.UNAUTHORIZED: Forbidden,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.METHOD_NOT_ALLOWED: Invalid,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.GONE: Gone,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Invalid,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Invalid,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
    HTTPStatus.TOO_MANY_REQUESTS: Unavailable,
}
_REMEDIES: Final[Mapping[type[TrialwatchError], str]] = {
    Conflict: "read it again, then decide again",
    Forbidden: "give this program's account the right, or the right credentials",
    Gone: "list again",
    Unavailable: "ask again",
}
_ESCAPED: Final = re.compile(r"\\(.)")
_LONGEST: Final = 500
"""Characters of the server's message that an error repeats."""


def read_object(body: bytes, about: str) -> JsonObject:
    """Read a document.

    Raises:
        Unavailable: the body is not a JSON object: a proxy answered, or the answer was cut off.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Unavailable(f"{about}: the answer is not a JSON object: {_start(body)}; ask again")
    return document


def error_of(status: int, body: bytes, about: str) -> TrialwatchError:
    """Return the error of an answer with an HTTP status of 400 or more."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    answered = document if isinstance(document, dict) else {"message": _start(body)}
    return error_in({**answered, "code": status}, about)


def error_in(status_document: JsonObject, about: str) -> TrialwatchError:
    """Return the error of a `Status` document; a watch sends one as its last event."""
    code = status_document.get("code")
    status = code if isinstance(code, int) else HTTPStatus.INTERNAL_SERVER_ERROR
    message = _words(status_document.get("message")) or _phrase(status)
    kind = _kind_of(status, status_document.get("reason"))
    remedy = _REMEDIES.get(kind)
    error = kind(f"{about}: {status} {message}" + (f"; {remedy}" if remedy else ""))
    if isinstance(error, Invalid):
        causes = mappings_at(status_document, "details", "causes")
        error.causes = tuple(
            Fault(text_at(cause, "field") or "document", text_at(cause, "message"))
            for cause in causes
        )
    return error


def warning_of(header: str) -> str:
    """Return the text of a `Warning` header: a code, an agent, and the text in quotes."""
    _, quote, text = header.strip().partition('"')
    return _ESCAPED.sub(r"\1", text.removesuffix('"')) if quote else header.strip()


def change_of(line: bytes, about: str) -> Change:
    """Read a line of a watch.

    Raises:
        Gone, Unavailable, ...: the line is an error, or is not an event.
    """
    event = read_object(line, about)
    document, what = event.get("object"), event.get("type")
    if not isinstance(document, dict):
        raise Unavailable(f"{about}: received an event without an object; ask again")
    if what == "ERROR":
        raise error_in(document, about)
    if what not in set(ChangeType):
        raise Unavailable(f"{about}: received an event of unknown type {what!r}; ask again")
    return Change(type=ChangeType(what), document=document)


def items_of(document: JsonObject, kind: Kind) -> tuple[JsonObject, ...]:
    """Read the items of a list; add `apiVersion` and `kind`, which the API leaves out."""
    named = {"apiVersion": kind.api_version, "kind": kind.kind}
    return tuple({**named, **item} for item in mappings_at(document, "items"))


def next_page_of(document: JsonObject) -> str:
    """Return the token for the next page of a list; empty after the last page."""
    return text_at(document, "metadata", "continue")


def _kind_of(status: int, reason: Json) -> type[TrialwatchError]:
    if status == HTTPStatus.CONFLICT and reason == _ALREADY_EXISTS:
        return AlreadyExists
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable
    return _ERRORS.get(status, RemoteError)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "an answer without a message"


def _words(message: Json) -> str:
    return message[:_LONGEST] if isinstance(message, str) else ""


def _start(body: bytes) -> str:
    return body[:_LONGEST].decode(errors="replace").strip() or "nothing"
