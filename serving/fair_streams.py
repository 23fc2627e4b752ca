"""The open streams of a server, counted for each client and in all.

When all are taken, a share that has fewer gets one: the newest of the share with the most ends.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.fair_budget import Client, TooManyCalls


class FairStreams:
    """The streams that are open."""

    def __init__(self, most: int, most_each: int) -> None:
        """`most`: of all clients; `most_each`: of one address."""
        self._most, self._most_each = most, most_each
        self._open: dict[asyncio.Timeout, Client] = {}
        """In the order in which they were opened."""

    @asynccontextmanager
    async def one_more(self, client: Client) -> AsyncIterator[None]:
        """Count a stream while it is open.

        Raises:
            TooManyCalls: it would be one too many, or another client needs its place.
        """
        self._make_room(client)
        end = asyncio.timeout(None)
        try:
            async with end:
                self._open[end] = client
                try:
                    yield
                finally:
                    self._open.pop(end, None)
        except TimeoutError:
            if not end.expired():
                raise
            raise TooManyCalls(
                "the server has given the place of this stream to a client with fewer streams: open"
                " it again later"
            ) from None

    def _make_room(self, client: Client) -> None:
        if sum(other == client for other in self._open.values()) >= self._most_each:
            raise TooManyCalls(
                f"this client has {self._most_each} open streams, the most that one client may"
                " have: end some of them, or try again later"
            )
        if len(self._open) < self._most:
            return
        shares = Counter(other.share for other in self._open.values())
        [(largest, most)] = shares.most_common(1)
        if shares[client.share] + 1 >= most:
            raise TooManyCalls(
                f"the server has {self._most} open streams, the most it allows: try again later"
            )
        newest = next(end for end, other in reversed(self._open.items()) if other.share == largest)
        del self._open[newest]
        newest.reschedule(asyncio.get_running_loop().time())
