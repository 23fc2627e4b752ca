"""Katib's service `Suggestion` on the wire: hands each call, as bytes, to the searches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc

from api.v1beta1 import api_pb2
from serving.error_interceptor import Context
from suggestion.service.request_names import namespace_of
from suggestion.service.search_calls import CALLS
from suggestion.service.searches import Job, Searches

if TYPE_CHECKING:
    _Handler = grpc.GenericRpcHandler[Any, Any]
else:  # only the stubs have generics
    _Handler = grpc.GenericRpcHandler

_SERVICE = api_pb2.DESCRIPTOR.services_by_name["Suggestion"].full_name


def suggestion_handler(searches: Searches) -> _Handler:
    """Return the service for a gRPC server.

    It has no codecs: a request stays bytes in this process, because a hostile one takes many times
    its size, and much time, to decode.
    """
    methods = {name: grpc.unary_unary_rpc_method_handler(_method(searches, name)) for name in CALLS}
    return grpc.method_handlers_generic_handler(_SERVICE, methods)


def _method(searches: Searches, name: str) -> Any:  # noqa: ANN401 - gRPC's stubs want no coroutine here
    async def call(request: bytes, context: Context) -> bytes:
        job = Job(method=name, request=request, namespace=namespace_of(context))
        return await searches.run(job, context.time_remaining())

    behaviour: Callable[[bytes, Context], Awaitable[bytes]] = call
    return behaviour
