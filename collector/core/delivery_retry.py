"""Sending, and when to try again."""

from __future__ import annotations

import random
from enum import Enum

from api.backoff import Backoff
from api.errors import RemoteError, Unavailable
from collector.core.batches import Batch
from collector.core.ports import Clock, Reporter, Sink

_BACKOFF = Backoff(first=0.1, longest=10.0, spread=0.5)
LAST_WAIT = 1.0
"""The longest, once we were told to end."""
_SAID_EVERY = 60.0


class Sent(Enum):
    """What became of a batch."""

    STORED = "stored"
    REFUSED = "refused"
    """It will be refused again."""
    NOT_YET = "not yet"


class Courier:
    """Takes batches to the store, one at a time, with no limit of attempts."""

    def __init__(self, sink: Sink, clock: Clock, reporter: Reporter, dice: random.Random) -> None:
        """Send there; `dice` spreads the attempts of many collectors."""
        self._sink = sink
        self._clock = clock
        self._reporter = reporter
        self._dice = dice
        self._failures = 0
        self._next = 0.0
        self._said: float | None = None
        self.hurried = False
        """We were told to end."""
        self.refusal = ""
        """Why a batch was refused, the last time."""
        self.waiting_for = ""
        """Why a batch is not stored yet."""

    def send(self, batch: Batch) -> Sent:
        """Try, unless it is too early to try again."""
        if self.wait() > 0:
            return Sent.NOT_YET
        try:
            self._sink.send(batch)
        except Unavailable as error:
            self._postpone(error)
            return Sent.NOT_YET
        except RemoteError as error:
            self.refusal = str(error)
            return Sent.REFUSED
        if self._said is not None:
            self._reporter.tell("the DB manager takes reports again")
        self._failures, self._said, self.waiting_for = 0, None, ""
        return Sent.STORED

    def wait(self) -> float:
        """Return the seconds until the next attempt."""
        if not self._failures:
            return 0.0
        left = self._next - self._clock.monotonic()
        return max(0.0, min(left, LAST_WAIT) if self.hurried else left)

    def _postpone(self, error: Unavailable) -> None:
        self.waiting_for = str(error)
        now = self._clock.monotonic()
        self._failures += 1
        self._next = now + _BACKOFF.wait(self._failures, self._dice.random())
        if self._said is None or now - self._said >= _SAID_EVERY:
            self._said = now
            self._reporter.tell(f"a report waits, and will be sent again: {error}")
