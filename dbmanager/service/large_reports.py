"""Refuses a report with too many points before it is parsed.

A parser makes an object of each point, and no other call runs meanwhile: two million empty points
in 4 MiB take more than a tenth of a second. Here they are counted in the encoded bytes, up to the
limit, which takes a tenth of that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio

from api.errors import UserError
from api.report_limits import MOST_POINTS

if TYPE_CHECKING:
    _Handler = grpc.RpcMethodHandler[Any, Any]
    _Interceptor = grpc.aio.ServerInterceptor[Any, Any]
else:  # only the stubs have generics
    _Interceptor = grpc.aio.ServerInterceptor

_METHOD: Final = "/api.v1.beta1.DBManager/ReportObservationLog"
_LOG, _POINT, _TEXT = 2, 1, 2
"""Fields `observation_log` and `metric_logs`, and the wire type of messages and texts."""
_FIXED: Final = {1: 8, 3: 0, 4: 0, 5: 4}
"""Bytes of the other wire types; 3 and 4 are the begin and the end of a group of fields."""
_MORE: Final = 128
"""This bit of a byte says that the number goes on."""


class LargeReports(_Interceptor):
    """Counts the points of a report before it is parsed."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Return the handler of a call; that of a report counts first."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or handler_call_details.method != _METHOD:
            return handler  # type: ignore[no-any-return]  # None if there is no such method
        parse = handler.request_deserializer

        def checked(data: bytes) -> object:
            check_points(data)
            return parse(data)

        return grpc.unary_unary_rpc_method_handler(
            handler.unary_unary,
            request_deserializer=checked,
            response_serializer=handler.response_serializer,
        )


def check_points(data: bytes, most: int = MOST_POINTS) -> None:
    """Check how many points an encoded report has; bytes that are not one are left to the parser.

    Raises:
        UserError: it has too many.
    """
    if len(data) < 2 * most:  # the smallest point has two bytes
        return
    try:
        count = points_of(data, most)
    except IndexError:
        return
    if count > most:
        raise UserError(
            f"observation_log.metric_logs: more than {most} points; send at most {most} in one"
            " report"
        )


def points_of(data: bytes, most: int) -> int:
    """Return how many points an encoded report has, or `most` + 1 if there are more.

    Raises:
        IndexError: the bytes end within a field, or have a field of an unknown type.
    """
    at = count = 0
    while at < len(data):
        field, kind, at = _tag(data, at)
        if kind != _TEXT:
            at = _skip(data, at, kind)
            continue
        size, at = _varint(data, at)
        if field == _LOG:
            count += _entries(data, at, at + size, most - count)
            if count > most:
                return count
        at += size
    return count


def _entries(data: bytes, at: int, end: int, most: int) -> int:
    count = 0
    while at < end and count <= most:
        field, kind, at = _tag(data, at)
        if kind != _TEXT:
            at = _skip(data, at, kind)
            continue
        size, at = _varint(data, at)
        count += field == _POINT
        at += size
    return count


def _tag(data: bytes, at: int) -> tuple[int, int, int]:
    tag, at = _varint(data, at)
    return tag >> 3, tag & 7, at


def _skip(data: bytes, at: int, kind: int) -> int:
    if kind == 0:
        return _varint(data, at)[1]
    if kind not in _FIXED:
        raise IndexError(f"wire type {kind}")
    return at + _FIXED[kind]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = data[at]
    at += 1
    if number < _MORE:
        return number, at
    number -= _MORE
    for shift in range(7, 70, 7):
        group = data[at]
        at += 1
        number |= (group & (_MORE - 1)) << shift
        if group < _MORE:
            return number, at
    raise IndexError("a number of more than ten bytes")
