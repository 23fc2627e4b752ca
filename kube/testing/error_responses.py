"""Errors as the API server sends them: an HTTP status, and a Status document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from api.errors import Fault, RemoteError, TrialwatchError, Unavailable
from api.types import JsonObject
from kube.errors import AlreadyExists, Conflict, Forbidden, Gone, Invalid, NotFound

_STATUSES: Final[Mapping[type[TrialwatchError], HTTPStatus]] = {
    AlreadyExists: HTTPStatus.CONFLICT,
    Conflict: HTTPStatus.CONFLICT,
    Forbidden: HTTPStatus.FORBIDDEN,
    Gone: HTTPStatus.GONE,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    RemoteError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def error_response(error: TrialwatchError) -> web.Response:
    """Return the response for an error of the port."""
    return web.json_response(status_document(error), status=_status(error))


def faults_response(faults: Sequence[Fault]) -> web.Response:
    """Return the response for an object with faults, as of an admission webhook."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    document = _document(status, "Invalid", "; ".join(str(fault) for fault in faults))
    causes = [{"field": fault.path, "message": fault.message} for fault in faults]
    return web.json_response({**document, "details": {"causes": causes}}, status=status)


def unauthorized() -> web.Response:
    """Return the response to a request without the right token."""
    code = HTTPStatus.UNAUTHORIZED
    return web.json_response(_document(code, "Unauthorized", "Unauthorized"), status=code)


def status_document(error: TrialwatchError) -> JsonObject:
    """Return the Status of an error of the port."""
    return _document(_status(error), type(error).__name__, str(error))


def _status(error: TrialwatchError) -> HTTPStatus:
    statuses = (_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
    return next(statuses, HTTPStatus.INTERNAL_SERVER_ERROR)


def _document(code: HTTPStatus, reason: str, message: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "code": int(code),
        "reason": reason,
        "message": message,
    }
