"""How much the clients of a gRPC server may use of it at a time.

A client is an address without its port. It cannot take what other clients need, and all clients of
one namespace, by their tokens, share what one client without a token gets (`fair_budget`):

| what                                | at the limit                                       |
|-------------------------------------|----------------------------------------------------|
| calls whose request is on its way   | further calls wait, the share that has least first |
| calls that wait                     | `TooManyCalls`                                     |
| bytes of requests under way         | further calls wait, the share that has least first |
| seconds until a request has arrived | `TooSlow`                                          |
| seconds until a reply is taken      | the call ends                                      |
| open streams                        | `TooManyCalls`                                     |

The server reads a request only when it has a place for it, so waiting calls take little memory. How
large a request is shows when it has arrived. Small requests have bytes of their own, so they do not
wait for large ones; and while other clients wait for a place, no call keeps one for long.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

from api.errors import TrialwatchError
from serving.fair_budget import CURRENT_CLIENT, Client, FairBudget, Queues, TooManyCalls
from serving.fair_streams import FairStreams

_KIBIBYTE: Final = 1024
_MEBIBYTE: Final = 1024 * 1024


class TooSlow(TrialwatchError):
    """A client does not send its request in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one server."""

    receiving: int = 16
    """Calls whose request is on its way, of all clients."""
    receiving_each: int = 4
    """The same, of one client."""
    waiting: int = 4_000
    """Calls that wait for a place, of all clients."""
    waiting_each: int = 1_000
    """The same, of one client."""
    receive_seconds: float = 10.0
    crowded_seconds: float = 0.5
    """The most seconds in one of these places while other clients wait for it."""
    request_bytes: int = 16 * _MEBIBYTE
    """Of all requests under way that are not small."""
    small_bytes: int = _MEBIBYTE
    """Of all small requests under way."""
    small: int = 64 * _KIBIBYTE
    """Bytes of the largest small request."""
    send_seconds: float = 30.0
    streams: int = 64
    """Open streams of all clients."""
    streams_each: int = 16
    """The same, of one client."""


def address_of(peer: str) -> str:
    """Return the address of gRPC's `ipv4:10.0.0.1:4711`; one for all of a Unix socket."""
    return peer.rpartition(":")[0] if peer.startswith("ip") else peer.partition(":")[0]


class CallLimits:
    """Holds the calls of one server to its limits."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits = limits or Limits()
        self._places = _Places(limits)
        self._small, self._large = FairBudget(limits.small_bytes), FairBudget(limits.request_bytes)
        self._streams = FairStreams(limits.streams, limits.streams_each)
        self._unidentified: Counter[str] = Counter()

    @contextmanager
    def unidentified(self, address: str) -> Iterator[None]:
        """Count a call while its client is being found: the keys of tokens may have to be read.

        Raises:
            TooManyCalls: too many calls wait for that.
        """
        calls = self._unidentified
        if calls[address] >= self.limits.waiting_each or calls.total() >= self.limits.waiting:
            raise TooManyCalls("too many calls wait for a check of their tokens: try again later")
        calls[address] += 1
        try:
            yield
        finally:
            calls[address] -= 1
            if not calls[address]:
                del calls[address]

    @asynccontextmanager
    async def request(
        self, client: Client, read: Callable[[], Awaitable[bytes]]
    ) -> AsyncIterator[bytes]:
        """Read a request when there is a place for it; the body answers it.

        Raises:
            TooManyCalls: too many calls wait.
            TooSlow: the request did not arrive in time, or has waited too long for its bytes.
        """
        CURRENT_CLIENT.set(client)
        async with self._places.one(client) as place:
            data = await read()
            place.arrived()
            budget = self._small if len(data) <= self.limits.small else self._large
            taken = await budget.take(len(data), client)
        try:
            yield data
        finally:
            budget.give(taken, client)

    def stream(self, client: Client) -> AbstractAsyncContextManager[None]:
        """Count a stream while it is open.

        Raises:
            TooManyCalls: too many streams are open.
        """
        return self._streams.one_more(client)


class _Place:
    """The place of a call whose request is on its way, or waits for its bytes."""

    def __init__(self, client: Client, limits: Limits) -> None:
        self.client, self._limits = client, limits
        self._since = asyncio.get_running_loop().time()
        self.time = asyncio.timeout(limits.receive_seconds)
        self._seconds = limits.receive_seconds
        self._has_arrived = False

    def arrived(self) -> None:
        """Wait for bytes without limit, unless others wait for the place."""
        self._has_arrived = True
        if self._seconds == self._limits.receive_seconds and not self.time.expired():
            self.time.reschedule(None)

    def others_wait(self) -> None:
        """Keep the place for a short time only."""
        if self._seconds == self._limits.crowded_seconds or self.time.expired():
            return
        end, now = self.time.when(), asyncio.get_running_loop().time()
        soon = max(now, self._since + self._limits.crowded_seconds)
        if end is None or soon < end:
            self._seconds = self._limits.crowded_seconds
            self.time.reschedule(soon)

    def error(self) -> TooSlow:
        """Return why the call has lost its place."""
        if self._has_arrived:
            return TooSlow("the server has too many large requests: try again later")
        return TooSlow(f"the request did not arrive within {self._seconds:g} s")


class _Places:
    """The places for calls whose request is on its way."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._budget = FairBudget(
            limits.receiving,
            each=limits.receiving_each,
            queues=Queues(most=limits.waiting, each=limits.waiting_each),
            blocked=self._hurry_others,
        )
        self._taken: set[_Place] = set()

    @asynccontextmanager
    async def one(self, client: Client) -> AsyncIterator[_Place]:
        """Wait for a place.

        Raises:
            TooManyCalls: too many calls wait.
            TooSlow: the time in the place is over.
        """
        await self._budget.take(1, client)
        place = _Place(client, self._limits)
        try:
            async with place.time:
                with self._counted(place):
                    yield place
        except TimeoutError:
            if not place.time.expired():
                raise
            raise place.error() from None
        finally:
            if place.time.expired():
                # A client that lets others wait for nothing has to wait itself.
                self._budget.give_but_remember(1, client, self._limits.receive_seconds)
            else:
                self._budget.give(1, client)

    @contextmanager
    def _counted(self, place: _Place) -> Iterator[None]:
        self._taken.add(place)
        if self._budget.others_wait(place.client):
            place.others_wait()
        try:
            yield
        finally:
            self._taken.discard(place)

    def _hurry_others(self, waiting: Client) -> None:
        for place in self._taken:
            if place.client != waiting:
                place.others_wait()
