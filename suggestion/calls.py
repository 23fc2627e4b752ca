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
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from api.errors import RemoteError, SetupError, Unavailable, UserError

_log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]

_CODES: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (UserError, grpc.StatusCode.INVALID_ARGUMENT),
    (SetupError, grpc.StatusCode.FAILED_PRECONDITION),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
    (RemoteError, grpc.StatusCode.ABORTED),
)
_INTERNAL = grpc.StatusCode.INTERNAL


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
