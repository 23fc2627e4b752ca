"""How a call ends that cannot be answered: its error becomes a gRPC code and one sentence.

| raised | code |
|---|---|
| `UserError` | INVALID_ARGUMENT |
| `SetupError` | FAILED_PRECONDITION |
| `Unavailable` | UNAVAILABLE |
| another `RemoteError` | ABORTED |
| anything else | INTERNAL, with a plain sentence; the trace is in the log |
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from api import names
from api.errors import RemoteError, SetupError, Unavailable, UserError
from api.faults import quoted

_log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]

_CODES: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (UserError, grpc.StatusCode.INVALID_ARGUMENT),
    (SetupError, grpc.StatusCode.FAILED_PRECONDITION),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
    (RemoteError, grpc.StatusCode.ABORTED),
)
_INTERNAL = grpc.StatusCode.INTERNAL
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@asynccontextmanager
async def answering(method: str, context: Context) -> AsyncIterator[None]:
    """End the call by what is raised inside."""
    code, sentence = grpc.StatusCode.OK, ""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - it is answered, and logged
        code = next((code for kind, code in _CODES if isinstance(error, kind)), _INTERNAL)
        sentence = str(error)
        if code is _INTERNAL:
            sentence = "the suggestion service failed on this request; its log says why"
            # As text: an exception would keep the request, and the call, alive with its record.
            trace = "".join(traceback.format_exception(error))
            _log.error("a request failed", extra={"fields": {"method": method, "trace": trace}})
        else:
            fields = {"method": method, "code": code.name, "why": sentence}
            _log.warning("a request was refused", extra={"fields": fields})
    if code is not grpc.StatusCode.OK:
        await context.abort(code, sentence)


def namespace_of(context: Context) -> str:
    """Return the namespace that the caller speaks of; empty where it has told none.

    Raises:
        UserError: what it told is no name.
    """
    for key, value in context.invocation_metadata() or ():
        if key == names.NAMESPACE_METADATA and value:
            text = value if isinstance(value, str) else value.decode(errors="replace")
            return check_name(f"metadata {names.NAMESPACE_METADATA}", text)
    return ""


def check_name(what: str, name: str) -> str:
    """Return an object's name: it goes into paths of Kubernetes' API.

    Raises:
        UserError: it is none.
    """
    if _NAME.fullmatch(name) is None:
        raise UserError(f"{what}: {quoted(name)} is no name of Kubernetes; write a-z, 0-9, - and .")
    return name
