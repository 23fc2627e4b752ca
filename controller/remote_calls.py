"""One call of another program's service, and what each refusal means to us."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import grpc
import grpc.aio

from api.errors import RemoteError, Unavailable, UserError

MOST_BYTES: Final = 256 * 1024 * 1024
CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MOST_BYTES),
    ("grpc.max_send_message_length", MOST_BYTES),
)
"""For channels to these services: a history of many trials, or a long log, is large."""
_Reply = TypeVar("_Reply")


class UnknownCallError(RemoteError):
    """The service has no such call."""


class StumbledError(RemoteError):
    """The service stumbled."""


_KINDS: dict[grpc.StatusCode, type[RemoteError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: Unavailable,
    grpc.StatusCode.UNIMPLEMENTED: UnknownCallError,
}


async def answer(
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
            raise StumbledError(words) from None
        raise _KINDS.get(code, RemoteError)(message) from None
