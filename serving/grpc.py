"""A gRPC server: its limits, its port, and how each call ends.

An error that a handler raises becomes a gRPC code and one sentence:

| raised | code |
|---|---|
| a class of the program's own table | that of the table |
| `UserError` | INVALID_ARGUMENT |
| `Unavailable` | UNAVAILABLE |
| anything else | INTERNAL, with a plain sentence; the trace is in the log |

The class that is nearest to the error's own decides.
"""

from __future__ import annotations

import asyncio
import inspect
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from api.errors import SetupError, Unavailable, UserError
from serving.addresses import Address
from serving.logs import get_logger

_log = get_logger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
Codes = Mapping[type[Exception], grpc.StatusCode]
"""Which code answers an error of a class, and of the classes below it."""
if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]
    _Interceptor = grpc.aio.ServerInterceptor[Any, Any]
else:  # only the stubs have generics
    _Interceptor = grpc.aio.ServerInterceptor

_INTERNAL: Final = grpc.StatusCode.INTERNAL
_COMMON: Final[Codes] = {
    UserError: grpc.StatusCode.INVALID_ARGUMENT,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
}


def make_server(
    interceptor: ErrorInterceptor, *, most_bytes: int, **options: int
) -> grpc.aio.Server:
    """Return a server without services.

    Args:
        interceptor: ends the calls.
        most_bytes: the size of the largest message, in and out.
        options: further options of gRPC, without their `grpc.`.
    """
    limits = {
        "max_receive_message_length": most_bytes,
        "max_send_message_length": most_bytes,
        "so_reuseport": 0,  # else two servers share a port, and neither fails
        **options,
    }
    pairs = tuple((f"grpc.{name}", value) for name, value in limits.items())
    return grpc.aio.server(interceptors=[interceptor], options=pairs)


def listen(
    server: grpc.aio.Server, address: Address, tls: grpc.ServerCredentials | None = None
) -> Address:
    """Take a port; return the address with the number of the port.

    Raises:
        SetupError: the program cannot listen on the address.
    """
    try:
        if tls is None:
            port = server.add_insecure_port(str(address))
        else:
            port = server.add_secure_port(str(address), tls)
    except RuntimeError:
        raise SetupError(
            f"--listen: cannot listen on {address}: another program uses the port,"
            " or this machine does not have the address"
        ) from None
    return Address(host=address.host, port=port)


class ErrorInterceptor(_Interceptor):
    """Ends the unary calls and the streams to the client; other calls pass unchanged."""

    def __init__(
        self,
        program: str,
        codes: Codes,
        *,
        answered: Callable[[str, str, float], None] | None = None,
        log_refusals: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it.

        Args:
            program: what a client reads instead of the cause of an INTERNAL error.
            codes: the program's own table.
            answered: called at the end of each call with `/package.Service/Method`, the name of
                the code, and the seconds that the call took.
            log_refusals: whether errors with a code of their own are logged too.
            clock: in seconds.
        """
        self._program, self._codes = program, {**_COMMON, **codes}
        self._answered, self._log_refusals, self._clock = answered, log_refusals, clock

    def code_of(self, error: Exception) -> grpc.StatusCode:
        """Return the code that answers an error."""
        kinds = (kind for kind in type(error).__mro__ if kind in self._codes)
        kind = next(kinds, None)
        return _INTERNAL if kind is None else self._codes[kind]

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Return the handler of a call, within the frame that ends it."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or handler.request_streaming:
            return handler  # type: ignore[no-any-return]  # None if there is no such method
        method = str(handler_call_details.method)
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if not handler.response_streaming:
            unary = self._unary(method, handler.unary_unary)
            return grpc.unary_unary_rpc_method_handler(unary, **codec)
        if not inspect.isasyncgenfunction(handler.unary_stream):
            return handler  # type: ignore[no-any-return]  # it writes to the context by itself
        stream = self._stream(method, handler.unary_stream)
        return grpc.unary_stream_rpc_method_handler(stream, **codec)

    def _unary(self, method: str, behaviour: Callable[..., Any]) -> Any:  # noqa: ANN401 - gRPC's stubs want no coroutine here
        async def framed(request: object, context: Context) -> object:
            with self._counted(method) as end:
                try:
                    return await behaviour(request, context)
                except grpc.aio.AbortError:
                    raise  # the handler has ended the call by itself
                except Exception as error:  # noqa: BLE001 - it is answered, and logged
                    self._take(error, end)
                return await end.abort(context)

        return framed

    def _stream(self, method: str, behaviour: Callable[..., Any]) -> Any:  # noqa: ANN401 - the same
        async def framed(request: object, context: Context) -> AsyncIterator[object]:
            with self._counted(method) as end:
                try:
                    async for reply in behaviour(request, context):
                        yield reply
                except Exception as error:  # noqa: BLE001 - it is answered, and logged
                    self._take(error, end)
                if end.code is not grpc.StatusCode.OK:
                    await end.abort(context)

        return framed

    @contextmanager
    def _counted(self, method: str) -> Iterator[_CallEnd]:
        end, start = _CallEnd(method), self._clock()
        try:
            yield end
        except (asyncio.CancelledError, GeneratorExit):
            end.code = grpc.StatusCode.CANCELLED
            raise
        finally:
            if self._answered is not None:
                self._answered(method, end.code.name, self._clock() - start)

    def _take(self, error: Exception, end: _CallEnd) -> None:
        """Choose the code and the sentence for an error."""
        end.code, end.sentence = self.code_of(error), str(error)
        if end.code is _INTERNAL:
            end.sentence = f"{self._program} failed on this request; its log has the cause"
            # As text: an exception would keep the request, and the call, alive with its record.
            trace = "".join(traceback.format_exception(error))
            _log.error("a request failed", method=end.method, trace=trace)
        elif self._log_refusals:
            _log.warning(
                "a request was refused", method=end.method, code=end.code.name, why=end.sentence
            )


class _CallEnd:
    """How one call ends."""

    def __init__(self, method: str) -> None:
        self.code, self.sentence = grpc.StatusCode.OK, ""
        self.method = method

    async def abort(self, context: Context) -> object:
        """End the call with the code; raises what gRPC expects to be raised."""
        return await context.abort(self.code, self.sentence)
