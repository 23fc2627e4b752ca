"""One call of another program's service, and what each refusal means to us."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import grpc
import grpc.aio

from api.errors import RemoteError, Unavailable, UserError

MOST_BYTES: Final = 256 * 1024 * 1024
CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MOST_BYTES),
    ("grpc.max_send_message_length", MOST_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # Under a call of minutes; not so often that a server takes offence (two within 5 min).
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)
"""For channels to these services. A history of many trials, or a long log, is large; a service that
restarts, or gets another address, is found again soon; one whose node is gone is not waited for."""
_Reply = TypeVar("_Reply")


class UnimplementedCallError(RemoteError):
    """The service has no such call."""


class UnknownStatusError(RemoteError):
    """The service stumbled; `words` is what it said itself."""

    def __init__(self, message: str, words: str) -> None:
        super().__init__(message)
        self.words = words


_KINDS: dict[grpc.StatusCode, type[RemoteError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    grpc.StatusCode.UNIMPLEMENTED: UnimplementedCallError,
}


async def wait_until_connected(channel: grpc.aio.Channel, seconds: float) -> None:
    """Wait for a service that restarts, or whose name is not known yet, for at most so long.

    Where it is still away then, the call that follows says why.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await channel.channel_ready()


async def call_service(
    who: str,
    method: Callable[..., Awaitable[_Reply]],
    request: object,
    seconds: float,
    metadata: Sequence[tuple[str, str]] = (),
) -> _Reply:
    """Call once.

    Raises:
        UserError: the request is wrong, says the service.
        Unavailable: no answer in time.
        RemoteError: another refusal.
    """
    try:
        return await method(request, timeout=seconds, metadata=metadata)
    except grpc.aio.AioRpcError as error:
        code, words = error.code(), error.details() or "it says no more"
        message = f"{who} did not answer: {code.name}: {words}"
        if code is grpc.StatusCode.INVALID_ARGUMENT:
            raise UserError(words) from None
        if code is grpc.StatusCode.UNKNOWN:
            raise UnknownStatusError(message, words) from None
        raise _KINDS.get(code, RemoteError)(message) from None
