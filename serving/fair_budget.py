"""An amount that the clients of a server share: the client that has the least is next.

A client is an address, and whose share it uses: the namespace of its token, or else the address. So
a tenant with many pods has one share. While an amount is left, each call gets what it wants. Calls
that must wait are served by these rules, in this order:

1. a call of the share that has least of the amount now;
2. a call of the address that has least;
3. the call that has waited longest.

A large call that is next waits until enough is left; calls behind it do not overtake it. If too
many calls wait, the newest call of the share with the most waiting calls is refused.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from typing import Final

from api.errors import TrialwatchError


class TooManyCalls(TrialwatchError):
    """A client, or all clients together, have too many calls open."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client of a server."""

    address: str
    share: str
    """Whose share of the server it uses; clients with the same have it together."""


NO_CLIENT: Final = Client("", "")
"""For work that no call waits for."""
CURRENT_CLIENT: Final = ContextVar("CURRENT_CLIENT", default=NO_CLIENT)
"""The client of the call that runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """How many calls may wait."""

    most: int
    """Of all clients."""
    each: int
    """Of one address."""


@dataclass(slots=True, eq=False)
class _Waiting:
    number: int
    """Smaller: it has waited longer."""
    client: Client
    amount: int
    place: asyncio.Future[None]

    def is_served(self) -> bool:
        place = self.place
        return place.done() and not place.cancelled() and place.exception() is None


class FairBudget:
    """The amount, who has how much of it, and the calls that wait."""

    def __init__(
        self,
        total: int,
        *,
        each: int | None = None,
        queues: Queues | None = None,
        blocked: Callable[[Client], None] = lambda _: None,
    ) -> None:
        """Make it.

        Args:
            total: of all clients.
            each: of one address; None: the total.
            queues: how many calls may wait; None: all.
            blocked: called when the call that is next must wait for what others have.
        """
        self.total = self.left = total
        self._each = total if each is None else each
        self._queues, self._blocked = queues, blocked
        self._held: Counter[Client | str] = Counter()
        """By client and by share."""
        self._waiting: dict[Client, deque[_Waiting]] = {}
        self._waiting_of_share: Counter[str] = Counter()
        self._numbers = count()

    async def take(self, amount: int, client: Client | None = None) -> int:
        """Wait for an amount, at most that of one address; return what must be given back.

        Args:
            amount: what the call wants.
            client: for which it is; None: that of the call that runs.

        Raises:
            TooManyCalls: too many calls wait.
        """
        client = client or CURRENT_CLIENT.get()
        amount = min(amount, self._each)
        if not self._waiting and amount <= self.left and self._is_within_limit(client, amount):
            self._hold(client, amount)
            return amount
        waiting = self._enqueue(client, amount)
        self._wake()
        try:
            await waiting.place
        except asyncio.CancelledError:
            if waiting.is_served():
                self.give(amount, client)
            self._leave(waiting)
            self._wake()
            raise
        return amount

    def give(self, amount: int, client: Client | None = None) -> None:
        """Give an amount back."""
        self.left += amount
        self.forget(amount, client)

    def give_but_remember(self, amount: int, client: Client, seconds: float) -> None:
        """Give an amount back; for so many seconds, it counts as if the client had it still."""
        self.left += amount
        self._wake()
        asyncio.get_running_loop().call_later(seconds, self.forget, amount, client)

    def forget(self, amount: int, client: Client | None = None) -> None:
        """Count an amount as the client's no longer."""
        client = client or CURRENT_CLIENT.get()
        for owner in (client, client.share):
            self._held[owner] -= amount
            if not self._held[owner]:
                del self._held[owner]
        self._wake()

    def others_wait(self, client: Client) -> bool:
        """Return whether a call of another address waits, and not because of its own limit."""
        return any(
            other != client and self._is_within_limit(other, waiting[0].amount)
            for other, waiting in self._waiting.items()
        )

    async def take_until_reply(self, amount: int) -> Callable[[], None]:
        """Take an amount until the reply of this call is sent; return its early release."""
        client = CURRENT_CLIENT.get()
        taken = [await self.take(amount, client)]

        def release(_: object = None) -> None:
            while taken:
                self.give(taken.pop(), client)

        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(release)
        return release

    def _is_within_limit(self, client: Client, amount: int) -> bool:
        return self._held[client] + amount <= self._each

    def _hold(self, client: Client, amount: int) -> None:
        self.left -= amount
        self._held[client] += amount
        self._held[client.share] += amount

    def _wake(self) -> None:
        while True:
            heads = (queue[0] for queue in self._waiting.values())
            allowed = (one for one in heads if self._is_within_limit(one.client, one.amount))
            first = min(allowed, key=self._priority, default=None)
            if first is None:
                return
            if first.amount > self.left:
                self._blocked(first.client)
                return
            self._leave(first)
            if not first.place.done():
                self._hold(first.client, first.amount)
                first.place.set_result(None)

    def _priority(self, waiting: _Waiting) -> tuple[int, int, int]:
        client = waiting.client
        return self._held[client.share], self._held[client], waiting.number

    def _enqueue(self, client: Client, amount: int) -> _Waiting:
        self._make_room(client)
        place = asyncio.get_running_loop().create_future()
        waiting = _Waiting(next(self._numbers), client, amount, place)
        self._waiting.setdefault(client, deque()).append(waiting)
        self._waiting_of_share[client.share] += 1
        return waiting

    def _make_room(self, client: Client) -> None:
        """Refuse a call if one too many waits: this one, or one of the share with the most."""
        queues = self._queues
        if queues is None:
            return
        if len(self._waiting.get(client, ())) >= queues.each:
            raise TooManyCalls(
                f"this client has {queues.each} calls that wait, the most that one client may"
                " have: end some of them, or try again later"
            )
        if self._waiting_of_share.total() < queues.most:
            return
        refusal = TooManyCalls(
            f"the server has {queues.most} calls that wait, the most it allows: try again later"
        )
        newest = max((queue[-1] for queue in self._waiting.values()), key=self._length)
        most = self._waiting_of_share[newest.client.share]
        if most <= self._waiting_of_share[client.share] + 1:
            raise refusal
        self._leave(newest)
        if not newest.place.done():
            newest.place.set_exception(refusal)

    def _length(self, last: _Waiting) -> tuple[int, int, int]:
        """Return how many calls of the share wait, and of the address; newer calls are more."""
        client = last.client
        return self._waiting_of_share[client.share], len(self._waiting[client]), last.number

    def _leave(self, waiting: _Waiting) -> None:
        """Remove a call from the queue, if it is still there."""
        queue = self._waiting.get(waiting.client, deque())
        if waiting not in queue:
            return
        queue.remove(waiting)
        self._waiting_of_share[waiting.client.share] -= 1
        if not queue:
            del self._waiting[waiting.client]
        if not self._waiting_of_share[waiting.client.share]:
            del self._waiting_of_share[waiting.client.share]
