"""gRPC channels to services that come and go: one for each address, kept while it is used.

A channel connects by itself, again and again. It is closed when nobody has used it for a while, or
when there are too many; never under a call.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc.aio

from controller.over_grpc.calls import CHANNEL_OPTIONS

_IDLE_SECONDS: Final = 600.0
_MOST_IDLE: Final = 100


def dial(address: str) -> grpc.aio.Channel:
    """Make a channel, which connects when it is used."""
    return grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS)


@dataclass(slots=True)
class _Kept:
    channel: grpc.aio.Channel
    users: int = 0
    since: float = 0.0
    """When the last user left."""


class Channels:
    """Channels by address; `close` ends them."""

    def __init__(
        self,
        clock: Callable[[], float],
        open_to: Callable[[str], grpc.aio.Channel] = dial,
        *,
        idle_seconds: float = _IDLE_SECONDS,
        most_idle: int = _MOST_IDLE,
    ) -> None:
        """`clock` counts seconds; `open_to` makes a channel to an address."""
        self._clock, self._open = clock, open_to
        self._idle_seconds, self._most_idle = idle_seconds, most_idle
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @asynccontextmanager
    async def to(self, address: str) -> AsyncIterator[grpc.aio.Channel]:
        """Lend the channel to an address."""
        kept = self._kept.get(address)
        if kept is None:
            kept = self._kept[address] = _Kept(self._open(address))
        kept.users += 1
        try:
            yield kept.channel
        finally:
            kept.users -= 1
            kept.since = self._clock()
            if address in self._kept:
                self._kept.move_to_end(address)
            await self._tidy()

    async def close(self) -> None:
        """Close all of them."""
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.channel.close(None)

    async def _tidy(self) -> None:
        """Close what nobody uses, the one that was used longest ago first."""
        idle = [address for address, kept in self._kept.items() if not kept.users]
        too_many = len(idle) - self._most_idle
        for number, address in enumerate(idle):
            old = self._clock() - self._kept[address].since >= self._idle_seconds
            if number < too_many or old:
                await self._kept.pop(address).channel.close(None)
