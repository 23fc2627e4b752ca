"""gRPC channels to services: one for each address, kept while it is used.

A channel reconnects by itself. It is closed when it was unused for a while, or when too many are
open; never during a call.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc
import grpc.aio

from controller.over_grpc.calls import CHANNEL_OPTIONS

_IDLE_SECONDS: Final = 600.0
_MAX_IDLE: Final = 100


def dial(address: str, credentials: grpc.ChannelCredentials | None = None) -> grpc.aio.Channel:
    """Return a channel, which connects at its first call; without credentials, it has no TLS."""
    if credentials is not None:
        return grpc.aio.secure_channel(address, credentials, options=CHANNEL_OPTIONS)
    return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)


def dial_own(
    own: str, credentials: grpc.ChannelCredentials | None
) -> Callable[[str], grpc.aio.Channel]:
    """Return `dial` with the credentials for one address alone.

    Other services get no token: with it, they could act as the controller.
    """

    def dial_one(address: str) -> grpc.aio.Channel:
        return dial(address, credentials if address == own else None)

    return dial_one


@dataclass(slots=True)
class _OpenChannel:
    channel: grpc.aio.Channel
    users: int = 0
    since: float = 0.0
    """When the last user left, in seconds of the clock."""


class Channels:
    """Channels by address; `close` closes them."""

    def __init__(
        self,
        clock: Callable[[], float],
        open_to: Callable[[str], grpc.aio.Channel] = dial,
        *,
        idle_seconds: float = _IDLE_SECONDS,
        max_idle: int = _MAX_IDLE,
    ) -> None:
        """`clock` counts seconds; `open_to` opens a channel to an address."""
        self._clock, self._open = clock, open_to
        self._idle_seconds, self._max_idle = idle_seconds, max_idle
        self._open_channels: OrderedDict[str, _OpenChannel] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open_channels)

    @asynccontextmanager
    async def to(self, address: str) -> AsyncIterator[grpc.aio.Channel]:
        """Give the channel to an address for the duration of a block."""
        opened = self._open_channels.get(address)
        if opened is None:
            opened = self._open_channels[address] = _OpenChannel(self._open(address))
        opened.users += 1
        try:
            yield opened.channel
        finally:
            opened.users -= 1
            opened.since = self._clock()
            if address in self._open_channels:
                self._open_channels.move_to_end(address)
            await self._tidy()

    async def close(self) -> None:
        """Close all channels."""
        while self._open_channels:
            _, opened = self._open_channels.popitem()
            await opened.channel.close(None)

    async def _tidy(self) -> None:
        """Close unused channels, the one that was used longest ago first."""
        idle = [address for address, opened in self._open_channels.items() if not opened.users]
        too_many = len(idle) - self._max_idle
        for number, address in enumerate(idle):
            old = self._clock() - self._open_channels[address].since >= self._idle_seconds
            if number < too_many or old:
                await self._open_channels.pop(address).channel.close(None)
