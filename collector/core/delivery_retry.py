"""Sends batches to the store, with increasing waits between tries."""

from __future__ import annotations

import random
from enum import Enum

from api.backoff import Backoff
from api.errors import RemoteError, Unavailable
from collector.core.batches import Batch
from collector.core.ports import Clock, MessageLog, ObservationStore

_BACKOFF = Backoff(first=0.1, longest=10.0, spread=0.5)
LAST_WAIT = 1.0
"""Seconds; the longest wait between tries once the collector was told to end."""
_LOG_EVERY = 60.0
"""Seconds between two log messages about one batch that waits."""


class Delivery(Enum):
    """The result of sending a batch."""

    STORED = "stored"
    REFUSED = "refused"
    """Another try would be refused too."""
    NOT_YET = "not yet"


class RetryingSender:
    """Sends batches, one at a time, with any number of tries."""

    def __init__(
        self, store: ObservationStore, clock: Clock, log: MessageLog, dice: random.Random
    ) -> None:
        """Send to `store`; `dice` spreads the tries of many collectors over time."""
        self._store = store
        self._clock = clock
        self._log = log
        self._dice = dice
        self._failures = 0
        self._next = 0.0
        self._logged_at: float | None = None
        self.hurried = False
        """The collector was told to end: waits are short."""
        self.refusal = ""
        """Why the store refused a batch, the last time."""
        self.waiting_for = ""
        """Why a batch is not stored yet."""

    def send(self, batch: Batch) -> Delivery:
        """Try to send a batch, unless the wait before the next try is not over."""
        if self.wait() > 0:
            return Delivery.NOT_YET
        try:
            self._store.send(batch)
        except Unavailable as error:
            self._postpone(error)
            return Delivery.NOT_YET
        except RemoteError as error:
            self.refusal = str(error)
            return Delivery.REFUSED
        if self._logged_at is not None:
            self._log.write("the DB manager takes reports again")
        self._failures, self._logged_at, self.waiting_for = 0, None, ""
        return Delivery.STORED

    def wait(self) -> float:
        """Return the seconds until the next try."""
        if not self._failures:
            return 0.0
        left = self._next - self._clock.monotonic()
        return max(0.0, min(left, LAST_WAIT) if self.hurried else left)

    def _postpone(self, error: Unavailable) -> None:
        self.waiting_for = str(error)
        now = self._clock.monotonic()
        self._failures += 1
        self._next = now + _BACKOFF.wait(self._failures, self._dice.random())
        if self._logged_at is None or now - self._logged_at >= _LOG_EVERY:
            self._logged_at = now
            self._log.write(f"the DB manager does not take reports; the collector retries: {error}")
