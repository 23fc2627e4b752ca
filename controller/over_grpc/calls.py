"""One call of a gRPC service, and the error that each status code becomes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import grpc
import grpc.aio

from api.errors import RemoteError, Unavailable, UserError

MAX_BYTES: Final = 256 * 1024 * 1024
CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_BYTES),
    ("grpc.max_send_message_length", MAX_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # During a call of minutes; servers refuse more than two pings in 5 minutes.
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)
"""Options of channels to these services. A history of many trials or a long log is large. A service
that restarts or changes its address is found again soon; a call to a dead node fails soon."""
_Reply = TypeVar("_Reply")


class UnimplementedCallError(RemoteError):
    """The service does not implement the call."""


class UnknownStatusError(RemoteError):
    """The service failed with the status UNKNOWN; `details` is its own message."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.details = details


_KINDS: dict[grpc.StatusCode, type[RemoteError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    grpc.StatusCode.UNIMPLEMENTED: UnimplementedCallError,
}


async def wait_until_connected(channel: grpc.aio.Channel, seconds: float) -> None:
    """Wait for a service that restarts, or whose name is not known yet; at most so many seconds.

    If it is still unavailable then, the next call says why.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await channel.channel_ready()


async def call_service(
    service: str,
    method: Callable[..., Awaitable[_Reply]],
    request: object,
    seconds: float,
    metadata: Sequence[tuple[str, str]] = (),
) -> _Reply:
    """Call a method once; `seconds` is the deadline, `service` names the service in messages.

    Raises:
        UserError: the service says that the request is wrong.
        Unavailable: no answer in time.
        RemoteError: another refusal.
    """
    try:
        return await method(request, timeout=seconds, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
            raise UserError(error.details() or "no details") from None
        raise remote_error(service, error) from None


def remote_error(service: str, error: grpc.aio.AioRpcError) -> RemoteError:
    """Return the error that a status code becomes."""
    code, details = error.code(), error.details() or "no details"
    message = f"{service} did not answer: {code.name}: {details}"
    if code is grpc.StatusCode.UNKNOWN:
        return UnknownStatusError(message, details)
    return _KINDS.get(code, RemoteError)(message)
