"""Sends batches to the store, with increasing waits between tries."""

from __future__ import annotations

import random
from enum import Enum

from api.backoff import Backoff
from api.errors import RemoteError, Unavailable
from collector.core.batches import Batch
from collector.core.ports import Clock, MessageLog, ObservationStore, UnclearAnswer

_BACKOFF = Backoff(first=0.1, longest=10.0, spread=0.5)
LAST_WAIT = 1.0
"""Seconds; the longest wait between tries once the collector is told to end."""
MOST_UNCLEAR = 20
"""Unclear answers after which a batch is given up once the pod waits for it: one to three minutes.
A database that restarts behind Katib's DB manager is back before that."""
_LOG_EVERY = 60.0
"""Seconds between two log messages about one batch that waits."""


class Delivery(Enum):
    """The result of sending a batch."""

    STORED = "stored"
    REFUSED = "refused"
    """Another try would be refused too."""
    NOT_YET = "not yet"


class RetryingSender:
    """Sends batches, one at a time, again and again.

    | answer                                   | the batch                                      |
    |------------------------------------------|------------------------------------------------|
    | none, or a temporary error               | is sent again                                  |
    | an unclear error while the trainer runs  | is sent again                                  |
    | an unclear error after the trainer's end | is sent again, at the `MOST_UNCLEAR`-th it is  |
    |                                          | given up                                       |
    | a refusal                                | is given up                                    |

    The next batch of a source begins with the number of unclear answers that its last batch had.
    So a server that accepts nothing gets one try of each further batch.
    """

    def __init__(
        self, store: ObservationStore, clock: Clock, log: MessageLog, dice: random.Random
    ) -> None:
        """Send to `store`; `dice` spreads the tries of many collectors over time."""
        self._store = store
        self._clock = clock
        self._log = log
        self._dice = dice
        self._failures = 0
        self._source = ""
        self._unclear = 0
        """Unclear answers after the trainer's end, since the last batch was stored."""
        self._next = 0.0
        self._logged_at: float | None = None
        self.hurried = False
        """The collector was told to end: waits are short."""
        self.refusal = ""
        """Why the store refused a batch, the last time."""
        self.waiting_for = ""
        """Why a batch is not stored yet."""

    def send(self, batch: Batch, *, over: bool) -> Delivery:
        """Try to send a batch, unless the wait before the next try is not over.

        `over`: the trainer has ended, so the pod waits for the delivery.
        """
        if self.wait() > 0:
            return Delivery.NOT_YET
        if batch.source != self._source:
            self._source, self._unclear = batch.source, 0
        try:
            self._offer(batch)
        except UnclearAnswer as error:
            self._unclear += over
            if self._unclear >= MOST_UNCLEAR:
                return self._refuse(f"{error} (after {self._unclear} tries)")
            self._postpone(error)
            return Delivery.NOT_YET
        except Unavailable as error:
            self._postpone(error)
            return Delivery.NOT_YET
        except RemoteError as error:
            return self._refuse(str(error))
        if self._logged_at is not None:
            self._log.write("the DB manager takes reports again")
        self._unclear = 0
        self._be_ready()
        return Delivery.STORED

    def wait(self) -> float:
        """Return the seconds until the next try."""
        if not self._failures:
            return 0.0
        left = self._next - self._clock.monotonic()
        return max(0.0, min(left, LAST_WAIT) if self.hurried else left)

    def _offer(self, batch: Batch) -> None:
        """Send a batch, unless it has only an outcome, and the server keeps none.

        The server is asked at each try, because another one may have taken its place.
        """
        if batch.points or self._store.keeps_outcomes():
            self._store.send(batch)
        else:
            self._log.note(
                f"the outcome {batch.outcome} is not sent: the DB manager keeps only points"
            )

    def _refuse(self, why: str) -> Delivery:
        self.refusal = why
        self._be_ready()
        return Delivery.REFUSED

    def _be_ready(self) -> None:
        """Forget the waits: the next batch is sent at once."""
        self._failures, self._logged_at, self.waiting_for = 0, None, ""

    def _postpone(self, error: Unavailable) -> None:
        self.waiting_for = str(error)
        now = self._clock.monotonic()
        self._failures += 1
        self._next = now + _BACKOFF.wait(self._failures, self._dice.random())
        if self._logged_at is None or now - self._logged_at >= _LOG_EVERY:
            self._logged_at = now
            self._log.write(f"the DB manager does not take reports; the collector retries: {error}")
