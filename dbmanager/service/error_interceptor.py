"""Every call's frame: its error becomes a gRPC code, its code and time are counted.

| raised | code |
|---|---|
| `Ambiguous` | FAILED_PRECONDITION |
| `TooLarge` | RESOURCE_EXHAUSTED |
| `UnknownService` | NOT_FOUND |
| any other `UserError` | INVALID_ARGUMENT |
| `Unavailable` | UNAVAILABLE |
| anything else | INTERNAL, with a plain sentence; the trace is in the log |
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from api.errors import Unavailable, UserError
from dbmanager.service.health import UnknownService
from dbmanager.service.metrics import Metrics
from dbmanager.service.replies import TooLarge
from dbmanager.store.contract import Ambiguous

_log = logging.getLogger(__name__)

_CODES: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (Ambiguous, grpc.StatusCode.FAILED_PRECONDITION),
    (TooLarge, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (UnknownService, grpc.StatusCode.NOT_FOUND),
    (UserError, grpc.StatusCode.INVALID_ARGUMENT),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
)

_Context = grpc.aio.ServicerContext[Any, Any]
if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]
    _Interceptor = grpc.aio.ServerInterceptor[Any, Any]
else:  # only the stubs have generics
    _Interceptor = grpc.aio.ServerInterceptor


def code_of(error: Exception) -> grpc.StatusCode:
    """Return the code that an error is answered with."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), _INTERNAL)


_INTERNAL = grpc.StatusCode.INTERNAL


class Calls(_Interceptor):
    """Frames the unary calls and the streams to the client; others go by."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics, self._clock = metrics, clock

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Put the frame around what answers this call."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler  # type: ignore[no-any-return]  # None where there is no such method
        method = str(handler_call_details.method)
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.response_streaming:
            stream = self._stream(method, handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(stream, **codec)
        return grpc.unary_unary_rpc_method_handler(
            self._unary(method, handler.unary_unary), **codec
        )

    def _unary(self, method: str, behaviour: Callable[..., Any]) -> Any:  # noqa: ANN401 - gRPC's stubs want no coroutine here
        async def framed(request: object, context: _Context) -> object:
            with self._counted(method) as answer:
                try:
                    return await behaviour(request, context)
                except Exception as error:  # noqa: BLE001 - it is answered, and logged
                    answer.take(error)
                return await answer.abort(context)

        return framed

    def _stream(self, method: str, behaviour: Callable[..., Any]) -> Any:  # noqa: ANN401 - the same
        async def framed(request: object, context: _Context) -> AsyncIterator[object]:
            with self._counted(method) as answer:
                try:
                    async for reply in behaviour(request, context):
                        yield reply
                except Exception as error:  # noqa: BLE001 - it is answered, and logged
                    answer.take(error)
                if answer.code is not grpc.StatusCode.OK:
                    await answer.abort(context)

        return framed

    @contextmanager
    def _counted(self, method: str) -> Iterator[_Answer]:
        answer, start = _Answer(method), self._clock()
        try:
            yield answer
        except (asyncio.CancelledError, GeneratorExit):
            answer.code = grpc.StatusCode.CANCELLED
            raise
        finally:
            self._metrics.answered(method, answer.code.name, self._clock() - start)


class _Answer:
    """How one call ends."""

    def __init__(self, method: str) -> None:
        self.code, self.sentence = grpc.StatusCode.OK, ""
        self._method = method

    def take(self, error: Exception) -> None:
        """Choose the code and the sentence for an error."""
        self.code, self.sentence = code_of(error), str(error)
        if self.code is _INTERNAL:
            self.sentence = "the DB manager failed on this request; its log says why"
            # As text: an exception would keep the request, and the call, alive with its record.
            trace = "".join(traceback.format_exception(error))
            fields = {"method": self._method, "trace": trace}
            _log.error("a request failed", extra={"fields": fields})

    async def abort(self, context: _Context) -> object:
        """End the call with the code; raises what gRPC wants raised."""
        return await context.abort(self.code, self.sentence)
