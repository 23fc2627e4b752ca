"""Applies the policy to each call, before the call's own code runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final, cast

import grpc
import grpc.aio

from api import names
from api.faults import quoted
from dbmanager.access.authentication import Authentication, Pairs
from dbmanager.access.policy import (
    AccessRefused,
    Act,
    Anonymous,
    Call,
    Caller,
    PermissionDenied,
    Person,
    Reason,
    check_stored,
    namespace_for,
    needs_sources,
)
from dbmanager.service.connection import Connection
from dbmanager.service.metrics import Metrics
from dbmanager.service.requests import read_metadata, read_trial_name
from dbmanager.store.contract import Store, TrialKey
from serving.grpc import Context
from serving.logs import get_logger

_log = get_logger(__name__)

if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]
    _Interceptor = grpc.aio.ServerInterceptor[Any, Any]
else:  # only the stubs have generics
    _Interceptor = grpc.aio.ServerInterceptor

_MANAGER, _OBSERVATIONS = "/api.v1.beta1.DBManager/", "/trialwatch.v1.Observations/"
ACTS: Final = {
    f"{_MANAGER}ReportObservationLog": Act.REPORT,
    f"{_MANAGER}GetObservationLog": Act.READ,
    f"{_MANAGER}DeleteObservationLog": Act.DELETE,
    f"{_OBSERVATIONS}Summary": Act.READ,
    f"{_OBSERVATIONS}Read": Act.READ,
    f"{_OBSERVATIONS}Watch": Act.READ,
}
"""What each call does."""
OPEN: Final = ("/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/")
"""The services that are open to all."""
_LOG_SECONDS: Final = 10.0


class AccessInterceptor(_Interceptor):
    """Refuses what the policy does not allow; an error interceptor around it answers the call."""

    def __init__(
        self, connection: Connection, metrics: Metrics, authentication: Authentication
    ) -> None:
        """Make it.

        Args:
            connection: to the store, which knows the sources of a trial.
            metrics: count refused calls and calls without a token.
            authentication: finds the caller of a call.
        """
        self._connection, self._metrics = connection, metrics
        self._authentication = authentication
        self._logged = 0.0

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
            allowed = await self._allow(method, request.trial_name, context)
            return await behaviour(request, allowed)

        return checked

    def _stream(self, method: str, behaviour: Callable[..., Any]) -> Any:  # noqa: ANN401 - the same
        async def checked(request: Any, context: Context) -> AsyncIterator[object]:  # noqa: ANN401 - any message
            allowed = await self._allow(method, request.trial_name, context)
            async with aclosing(behaviour(request, allowed)) as replies:
                async for reply in replies:
                    # A watcher stays for hours: what it may see can change meanwhile.
                    await self._allow(method, request.trial_name, context, again=True)
                    yield reply

        return checked

    async def _allow(
        self, method: str, trial: str, context: Context, *, again: bool = False
    ) -> Context:
        """Return the context for the call's own code.

        Raises:
            AccessRefused: the caller may not do this.
            UserError: the metadata is wrong.
            Unavailable: the token or the store cannot be checked now.
        """
        pairs = tuple(context.invocation_metadata() or ())
        try:
            caller = await self._authentication.caller(pairs, over_tls=_is_over_tls(context))
            if isinstance(caller, Anonymous) and not again:
                self._note_anonymous(method, trial)
            asked, namespace = await self._namespace(caller, ACTS[method], trial, pairs)
        except AccessRefused as error:
            self._metrics.access_refused(error.reason)
            raise
        if namespace == asked:
            return context
        return cast("Context", _Named(context, pairs, namespace or ""))

    async def _namespace(
        self, caller: Caller, act: Act, trial: str, pairs: Pairs
    ) -> tuple[str | None, str | None]:
        """Check a call; return the namespace of its metadata, and the namespace to use."""
        metadata = read_metadata(pairs)
        delivery = metadata.delivery
        call = Call(
            act=act,
            trial=read_trial_name(trial),
            namespace=metadata.namespace,
            source=delivery.source if delivery else "",
            sequence=delivery.sequence if delivery else 0,
        )
        namespace = namespace_for(caller, call)
        if isinstance(caller, Person):
            await self._check_person(caller, call)
        if needs_sources(caller, call):
            store = self._connection.store
            for key in await _keys_of(store, call, namespace):
                check_stored(caller, call, await store.sources(key))
        return metadata.namespace, namespace

    async def _check_person(self, caller: Person, call: Call) -> None:
        people, namespace = self._authentication.people, call.namespace or ""
        if people is None or not await people.may_read(caller.token, namespace):
            raise PermissionDenied(
                Reason.NAMESPACE,
                f"{caller.cause}; and the API server does not let the token get trials in namespace"
                f" {quoted(namespace)}",
            )
        stored = await self._connection.store.namespaces(call.trial)
        if "" in stored and namespace not in stored:
            raise PermissionDenied(
                Reason.NAMESPACE,
                "the trial's metrics were stored without a namespace, so they may belong to"
                " another one: ask the operator",
            )

    def _note_anonymous(self, method: str, trial: str) -> None:
        self._metrics.without_token(method)
        now = self._authentication.now()
        if now - self._logged >= _LOG_SECONDS:
            self._logged = now
            _log.warning("a call without a token", method=method, trial=trial)


async def _keys_of(store: Store, call: Call, namespace: str | None) -> list[TrialKey]:
    """Return each trial that the call could mean, by the table of `resolve`."""
    stored = await store.namespaces(call.trial)
    namespaces = stored if namespace is None else {namespace, *(stored & {""})}
    return [TrialKey(namespace=each, trial=call.trial) for each in sorted(namespaces)]


def _is_over_tls(context: Context) -> bool:
    return b"ssl" in context.auth_context().get("transport_security_type", ())


class _Named:
    """The context of a call, with the namespace of the token in its metadata."""

    def __init__(self, context: Context, pairs: Pairs, namespace: str) -> None:
        self._context = context
        others = [pair for pair in pairs if pair[0] != names.NAMESPACE_METADATA]
        self._pairs = (*others, (names.NAMESPACE_METADATA, namespace))

    def invocation_metadata(self) -> Pairs:
        """Return the metadata of the call."""
        return self._pairs

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the context's own
        return getattr(self._context, name)
