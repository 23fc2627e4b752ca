"""Asks a program's policy about each call, before the call's own code runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import grpc
import grpc.aio

from api import names
from serving.access.authentication import Authentication, Pairs
from serving.access.callers import Anonymous, Caller, Manager, Person, Sidecar
from serving.access.refusals import AccessRefused
from serving.call_limits import address_of
from serving.error_interceptor import Context, Guard
from serving.fair_budget import Client
from serving.logs import get_logger

_log = get_logger(__name__)

if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]  # only the stubs have generics

OPEN: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/")
"""The services that are open to all."""
_LOG_SECONDS: Final = 10.0


class Policy(Protocol):
    """Decides about the calls of one server."""

    async def check(self, caller: Caller, method: str, request: Any, pairs: Pairs) -> Pairs:  # noqa: ANN401 - any message
        """Return the metadata that the call's own code reads.

        Args:
            caller: who calls.
            method: `/package.Service/Method`.
            request: the message; bytes if the method has no codec.
            pairs: the call's metadata.

        Raises:
            AccessRefused: the caller may not do this.
            UserError: the metadata is wrong.
            Unavailable: it cannot be decided now.
        """


class Counts(Protocol):
    """The metrics of a server."""

    def access_refused(self, reason: str) -> None:
        """Count a call that its caller may not do."""

    def without_token(self, method: str) -> None:
        """Count a call without a token that is allowed to go on."""


class AccessInterceptor(Guard):
    """Refuses what the policy does not allow; an error interceptor around it answers the call."""

    def __init__(
        self,
        authentication: Authentication,
        policy: Policy,
        counts: Counts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it.

        Args:
            authentication: finds the caller of a call.
            policy: decides what the caller may do.
            counts: count refused calls and calls without a token.
            clock: seconds, for the pauses of the log.
        """
        self._authentication, self._policy, self._counts = authentication, policy, counts
        self._clock = clock
        self._logged = -_LOG_SECONDS

    async def client(self, method: str, context: Context) -> Client:
        """Return the client of a call: all sidecars of a namespace have one share of the server.

        So a call that its token does not allow is refused before its request is read.

        Raises:
            AccessRefused: the token proves nothing, or is missing.
            Unavailable: the token cannot be checked now.
        """
        address = address_of(context.peer())
        if method.startswith(OPEN):
            return Client(address, address)
        pairs = tuple(context.invocation_metadata() or ())
        try:
            caller = await self._authentication.caller(pairs, over_tls=_is_over_tls(context))
        except AccessRefused as error:
            self._counts.access_refused(error.reason)
            raise
        return Client(address, _share_of(caller) or address)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Return the handler of a call, behind the checks."""
        handler: Any = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or method.startswith(OPEN):
            return handler  # type: ignore[no-any-return]  # None if there is no such method
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.response_streaming:
            stream = self._stream(method, handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(stream, **codec)
        unary = self._unary(method, handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(unary, **codec)

    def _unary(self, method: str, behaviour: Callable[..., Any]) -> Any:  # noqa: ANN401 - gRPC's stubs want no coroutine here
        async def checked(request: Any, context: Context) -> object:  # noqa: ANN401 - any message
            allowed = await self._allow(method, request, context)
            return await behaviour(request, allowed)

        return checked

    def _stream(self, method: str, behaviour: Callable[..., Any]) -> Any:  # noqa: ANN401 - the same
        async def checked(request: Any, context: Context) -> AsyncIterator[object]:  # noqa: ANN401 - any message
            allowed = await self._allow(method, request, context)
            async with aclosing(behaviour(request, allowed)) as replies:
                async for reply in replies:
                    # A watcher stays for hours: what it may see can change meanwhile.
                    await self._allow(method, request, context, again=True)
                    yield reply

        return checked

    async def _allow(
        self,
        method: str,
        request: Any,  # noqa: ANN401 - any message
        context: Context,
        *,
        again: bool = False,
    ) -> Context:
        """Return the context for the call's own code.

        Raises:
            AccessRefused: the caller may not do this.
            UserError: the metadata is wrong.
            Unavailable: the token or the call cannot be checked now.
        """
        pairs = tuple(context.invocation_metadata() or ())
        try:
            caller = await self._authentication.caller(pairs, over_tls=_is_over_tls(context))
            if isinstance(caller, Anonymous) and not again:
                self._note_anonymous(method, request)
            allowed = await self._policy.check(caller, method, request, pairs)
        except AccessRefused as error:
            self._counts.access_refused(error.reason)
            raise
        return context if allowed is pairs else cast("Context", _WithMetadata(context, allowed))

    def _note_anonymous(self, method: str, request: object) -> None:
        self._counts.without_token(method)
        now = self._clock()
        if now - self._logged >= _LOG_SECONDS:
            self._logged = now
            trial = getattr(request, "trial_name", None)
            _log.warning("a call without a token", method=method, trial=trial)


def _share_of(caller: Caller) -> str:
    """Return whose share of the server a caller uses; "": that of its address."""
    match caller:
        case Sidecar():
            return f"namespace {caller.namespace}"
        case Manager():
            return f"manager {caller.namespace}/{caller.service_account}"
        case Person() | Anonymous():
            return ""


def with_namespace(pairs: Pairs, namespace: str) -> Pairs:
    """Return metadata with this namespace of the trial in place of the caller's."""
    others = (pair for pair in pairs if pair[0] != names.NAMESPACE_METADATA)
    return (*others, (names.NAMESPACE_METADATA, namespace))


def _is_over_tls(context: Context) -> bool:
    return b"ssl" in context.auth_context().get("transport_security_type", ())


class _WithMetadata:
    """The context of a call, with other metadata."""

    def __init__(self, context: Context, pairs: Pairs) -> None:
        self._context, self._pairs = context, pairs

    def invocation_metadata(self) -> Pairs:
        """Return the metadata of the call."""
        return self._pairs

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the context's own
        return getattr(self._context, name)
