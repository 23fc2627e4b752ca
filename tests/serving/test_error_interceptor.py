"""A client goes away before it is answered: its call is cancelled, and nothing is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import grpc.aio
import pytest

from api.errors import UserError
from serving.error_interceptor import ErrorInterceptor


class GoneClient:
    """The context of a call whose client has sent its request and gone."""

    def peer(self) -> str:
        return "ipv4:10.0.0.1:4711"

    async def read(self) -> bytes:
        return b"request"

    async def write(self, _reply: object) -> None:
        raise grpc.aio.InternalError("the batch failed")

    async def abort(self, _code: grpc.StatusCode, _sentence: str) -> None:
        raise grpc.aio.InternalError("the batch failed")


async def replies(_request: object, _context: object) -> str:
    return "reply"


async def refuses(_request: object, _context: object) -> str:
    raise UserError("the request is wrong")


async def no_requests() -> AsyncIterator[bytes]:
    none: tuple[bytes, ...] = ()
    for request in none:
        yield request


@pytest.mark.parametrize("behaviour", [replies, refuses])
async def test_a_call_whose_client_has_gone_is_cancelled_without_a_trace(
    behaviour: Any,  # noqa: ANN401 - gRPC's stubs want a method that is not a coroutine
    caplog: pytest.LogCaptureFixture,
) -> None:
    codes: list[str] = []
    interceptor = ErrorInterceptor(
        "the server", {}, answered=lambda _method, code, _seconds: codes.append(code)
    )

    async def continuation(_details: object) -> Any:  # noqa: ANN401 - the same
        return grpc.unary_unary_rpc_method_handler(behaviour)

    details: Any = SimpleNamespace(method="/service/Method")
    handler: Any = await interceptor.intercept_service(continuation, details)
    with pytest.raises(asyncio.CancelledError):
        await handler.stream_stream(no_requests(), GoneClient())

    assert codes == ["CANCELLED"]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
