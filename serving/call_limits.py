"""How much the clients of a gRPC server may use of it at a time.

A client is an address without its port. It cannot take what other clients need:

| what                                | at the limit                                        |
|-------------------------------------|-----------------------------------------------------|
| calls whose request is on its way   | further calls wait, in the order in which they came |
| calls that wait                     | `TooManyCalls`                                      |
| bytes of requests under way         | further calls wait, in the order in which they came |
| seconds until a request has arrived | `TooSlow`                                           |
| seconds until a reply is taken      | the call ends                                       |
| open streams                        | `TooManyCalls`                                      |

The server reads a request only when it has a place for it, so waiting calls take no memory.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from api.errors import TrialwatchError

_MEBIBYTE: Final = 1024 * 1024


class TooManyCalls(TrialwatchError):
    """A client, or all clients together, have too many calls open."""


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
    request_bytes: int = 16 * _MEBIBYTE
    """Of all requests under way."""
    send_seconds: float = 30.0
    streams: int = 64
    """Open streams of all clients."""
    streams_each: int = 16
    """The same, of one client."""


def client_of(peer: str) -> str:
    """Return the client of gRPC's `ipv4:10.0.0.1:4711`; one for all of a Unix socket."""
    return peer.rpartition(":")[0] if peer.startswith("ip") else peer.partition(":")[0]


class Budget:
    """An amount that calls share; a call that wants more than is left waits in a queue."""

    def __init__(self, total: int) -> None:
        self.total = self.left = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, amount: int) -> int:
        """Wait for an amount, at most the total; return what must be given back."""
        amount = min(amount, self.total)
        if not self._waiting and amount <= self.left:
            self.left -= amount
            return amount
        place = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, place))
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.give(amount)
            else:
                with suppress(ValueError):  # `_wake` may have removed it
                    self._waiting.remove((amount, place))
                self._wake()
            raise
        return amount

    def give(self, amount: int) -> None:
        """Give an amount back."""
        self.left += amount
        self._wake()

    async def take_until_reply(self, amount: int) -> Callable[[], None]:
        """Take an amount until the reply of this call is sent; return its early release."""
        taken = [await self.take(amount)]

        def release(_: object = None) -> None:
            while taken:
                self.give(taken.pop())

        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(release)
        return release

    def _wake(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.left:
            amount, place = self._waiting.popleft()
            if not place.cancelled():
                self.left -= amount
                place.set_result(None)


class _Places:
    """Calls, counted for each client and in all."""

    def __init__(self, what: str, most: int, most_each: int) -> None:
        self._what, self._most, self._most_each = what, most, most_each
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, client: str) -> Iterator[None]:
        """Count a call while it is open.

        Raises:
            TooManyCalls: it would be one too many.
        """
        if self._open[client] >= self._most_each:
            raise TooManyCalls(
                f"this client has {self._most_each} {self._what}, the most that one client may"
                " have: end some of them, or try again later"
            )
        if self._open.total() >= self._most:
            raise TooManyCalls(
                f"the server has {self._most} {self._what}, the most it allows: try again later"
            )
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


class CallLimits:
    """Holds the calls of one server to its limits."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits = limits or Limits()
        self._waiting = _Places("calls that wait", limits.waiting, limits.waiting_each)
        self._streams = _Places("open streams", limits.streams, limits.streams_each)
        self._receiving = Budget(limits.receiving)
        self._receiving_each: dict[str, tuple[Budget, list[None]]] = {}
        self._bytes = Budget(limits.request_bytes)

    @asynccontextmanager
    async def request(
        self, peer: str, read: Callable[[], Awaitable[bytes]]
    ) -> AsyncIterator[bytes]:
        """Read a request when there is a place for it; the body answers it.

        Raises:
            TooManyCalls: too many calls wait.
            TooSlow: the request did not arrive in time.
        """
        client = client_of(peer)
        with self._waiting.one_more(client):
            async with self._receiving_place(client):
                data = await self._read(read)
                taken = await self._bytes.take(len(data))
        try:
            yield data
        finally:
            self._bytes.give(taken)

    def stream(self, peer: str) -> AbstractContextManager[None]:
        """Count a stream while it is open.

        Raises:
            TooManyCalls: too many streams are open.
        """
        return self._streams.one_more(client_of(peer))

    async def _read(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        seconds = self.limits.receive_seconds
        try:
            async with asyncio.timeout(seconds):
                return await read()
        except TimeoutError:
            raise TooSlow(f"the request did not arrive within {seconds:g} s") from None

    @asynccontextmanager
    async def _receiving_place(self, client: str) -> AsyncIterator[None]:
        """Wait for a place of the client, then for a place of the server."""
        own, users = self._receiving_each.setdefault(
            client, (Budget(self.limits.receiving_each), [])
        )
        users.append(None)
        try:
            async with _taken(own), _taken(self._receiving):
                yield
        finally:
            users.pop()
            if not users:
                del self._receiving_each[client]


@asynccontextmanager
async def _taken(budget: Budget) -> AsyncIterator[None]:
    amount = await budget.take(1)
    try:
        yield
    finally:
        budget.give(amount)
