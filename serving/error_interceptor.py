"""How each call of a gRPC server ends: with replies within the limits, or with a code.

An error that a handler raises becomes a gRPC code and one sentence:

| raised | code |
|---|---|
| a class of the program's own table | that of the table |
| `UserError` | INVALID_ARGUMENT |
| `Unavailable` | UNAVAILABLE |
| `TooManyCalls` | RESOURCE_EXHAUSTED |
| `TooSlow` | DEADLINE_EXCEEDED |
| anything else | INTERNAL, with a plain sentence; the trace is in the log |

The class that is nearest to the error's own decides.
"""

from __future__ import annotations

import asyncio
import inspect
import time
import traceback
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    aclosing,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from api.errors import Unavailable, UserError
from serving.call_limits import CallLimits, Limits, TooSlow, address_of
from serving.fair_budget import Client, TooManyCalls
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
    TooManyCalls: grpc.StatusCode.RESOURCE_EXHAUSTED,
    TooSlow: grpc.StatusCode.DEADLINE_EXCEEDED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
}


class Guard(_Interceptor):
    """An interceptor that checks the callers."""

    @abstractmethod
    async def client(self, method: str, context: Context) -> Client:
        """Return the client of a call, by `/package.Service/Method`, before its request is read.

        Raises:
            Exception: the call is refused; the error is answered.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What protects a server from its clients."""

    access: Guard | None = None
    """Refuses calls; None: all may call, and a client is an address."""
    limits: Limits = field(default_factory=Limits)
    """What the clients may use of the server at a time."""


class ErrorInterceptor(_Interceptor):
    """Ends the calls: with replies within the limits, or with a code and a sentence."""

    def __init__(
        self,
        program: str,
        codes: Codes,
        *,
        answered: Callable[[str, str, float], None] | None = None,
        log_refusals: bool = False,
        guards: Guards | None = None,
    ) -> None:
        """Make it.

        Args:
            program: what a client reads instead of the cause of an INTERNAL error.
            codes: the program's own table.
            answered: called at the end of each call with `/package.Service/Method`, the name of
                the code, and the seconds that the call took.
            log_refusals: whether errors with a code of their own are logged too.
            guards: protect the server; by default, only the usual limits do.
        """
        self._program, self._codes = program, {**_COMMON, **codes}
        self._answered, self._log_refusals = answered, log_refusals
        guards = guards or Guards()
        self._limits, self._guard = CallLimits(guards.limits), guards.access

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
        """Return the handler of a call, within the frame that ends it.

        To gRPC each handler is one of streams: only these read a request when they want to, as
        bytes. On the wire, a stream of one message and a single message are the same.
        """
        handler: Any = await continuation(handler_call_details)
        if handler is None:
            return None  # type: ignore[return-value]  # gRPC takes None for an unknown method
        method = _Method(str(handler_call_details.method), handler)
        framed = self._requests if handler.request_streaming else self._request
        return grpc.stream_stream_rpc_method_handler(
            framed(method), response_serializer=handler.response_serializer
        )

    def _request(self, method: _Method) -> Any:  # noqa: ANN401 - gRPC's stubs want no coroutine here
        async def answer(_: object, context: Context, client: Client) -> None:
            read = partial(_one_message, context)
            async with self._limits.request(client, read) as data:
                await self._answer(method, method.decoded(data), context)

        return self._framed(method, answer)

    def _requests(self, method: _Method) -> Any:  # noqa: ANN401 - the same
        async def answer(requests: AsyncIterator[bytes], context: Context, _: Client) -> None:
            decoded = (method.decoded(data) async for data in requests)
            await self._answer(method, decoded, context)

        return self._framed(method, answer)

    def _framed(self, method: _Method, answer: Callable[..., Awaitable[None]]) -> Any:  # noqa: ANN401 - the same
        async def framed(requests: AsyncIterator[bytes], context: Context) -> None:
            with self._counted(method.name) as end, _cancelled_if_the_client_has_gone():
                try:
                    client = await self._client(method, context)
                    async with self._stream_counted(method, client):
                        await answer(requests, context, client)
                except (grpc.aio.AbortError, grpc.aio.InternalError):
                    raise  # the handler has ended the call by itself, or the client has gone
                except Exception as error:  # noqa: BLE001 - it is answered, and logged
                    self._take(error, end)
                    # Else its frames keep the request in memory until the garbage collector runs.
                    error.__traceback__ = None
                if end.code is not grpc.StatusCode.OK:
                    await end.abort(context)

        return framed

    async def _client(self, method: _Method, context: Context) -> Client:
        address = address_of(context.peer())
        if self._guard is None:
            return Client(address, address)
        with self._limits.unidentified(address):
            return await self._guard.client(method.name, context)

    def _stream_counted(self, method: _Method, client: Client) -> AbstractAsyncContextManager[None]:
        is_stream = method.handler.request_streaming or method.handler.response_streaming
        return self._limits.stream(client) if is_stream else nullcontext()

    async def _answer(self, method: _Method, request: object, context: Context) -> None:
        """Call the handler, and send its replies to a client that takes them in time."""
        replies = method.behaviour(request, context)
        if inspect.isawaitable(replies):
            reply = await replies
            if reply is not None:  # else it has written to the context by itself
                await self._send(reply, context)
            return
        async with aclosing(replies):
            async for reply in replies:
                await self._send(reply, context)

    async def _send(self, reply: object, context: Context) -> None:
        seconds = self._limits.limits.send_seconds
        try:
            async with asyncio.timeout(seconds):
                await context.write(reply)
        except TimeoutError:
            raise TooSlow(f"the client did not take the reply within {seconds:g} s") from None

    @contextmanager
    def _counted(self, method: str) -> Iterator[_CallEnd]:
        end, start = _CallEnd(method), time.monotonic()
        try:
            yield end
        except (asyncio.CancelledError, GeneratorExit):
            end.code = grpc.StatusCode.CANCELLED
            raise
        finally:
            if self._answered is not None:
                self._answered(method, end.code.name, time.monotonic() - start)

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


class _Method:
    """A method of the server."""

    def __init__(self, name: str, handler: Any) -> None:  # noqa: ANN401 - gRPC's stubs have only its parts
        self.name, self.handler = name, handler
        self.behaviour: Callable[[object, Context], Any] = (
            handler.unary_unary
            or handler.unary_stream
            or handler.stream_unary
            or handler.stream_stream
        )

    def decoded(self, data: bytes) -> object:
        """Return the message.

        Raises:
            UserError: the bytes are not such a message.
        """
        decode = self.handler.request_deserializer
        try:
            return decode(data) if decode else data
        except (DecodeError, ValueError):
            raise UserError(
                f"the {len(data)} bytes of the request are not a message of {self.name}: send one"
                " that is encoded by its protocol"
            ) from None


@contextmanager
def _cancelled_if_the_client_has_gone() -> Iterator[None]:
    """Cancel a call on which gRPC cannot send any more; else it logs a trace for each of them."""
    try:
        yield
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None


async def _one_message(context: Context) -> bytes:
    """Read the only message of a call.

    Raises:
        UserError: the client has sent none.
    """
    data = await context.read()
    if not isinstance(data, bytes):
        raise UserError("the call has no request: send one message")
    return data


class _CallEnd:
    """How one call ends."""

    def __init__(self, method: str) -> None:
        self.code, self.sentence = grpc.StatusCode.OK, ""
        self.method = method

    async def abort(self, context: Context) -> object:
        """End the call with the code; raises what gRPC expects to be raised."""
        return await context.abort(self.code, self.sentence)
