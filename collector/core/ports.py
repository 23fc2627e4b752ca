"""What the core needs from outside. Every call may be the last one before a crash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from api.errors import Unavailable
from api.run_directory import AttemptRecord
from collector.core.batches import Batch
from collector.streams.files import FileSystem

CALL_SECONDS = 5.0
"""The most seconds for one call to a server."""


class Clock(Protocol):
    """The time of day, and a clock that never goes back."""

    def micros(self) -> int:
        """Return microseconds since 1970 in UTC."""

    def monotonic(self) -> float:
        """Return seconds since a fixed moment."""


class UnclearAnswer(Unavailable):
    """A server answered with an error that does not say whether another try may succeed."""


class ObservationStore(Protocol):
    """The store of observations: the DB manager, trialwatch's or Katib's."""

    def send(self, batch: Batch) -> None:
        """Return once the batch is acknowledged.

        Raises:
            Unavailable: unknown whether it was stored; the same batch may be sent again.
            UnclearAnswer: the same, but every try may get this answer.
            RemoteError: refused, and another try would be refused too.
        """

    def keeps_outcomes(self) -> bool:
        """Return whether the server that answers now keeps the outcomes of sources.

        Katib's DB manager keeps points only, and fails on a report without points.

        Raises:
            Unavailable: no answer; the question may be repeated.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnd:
    """How an attempt ended. Once this is known, no more bytes of the attempt follow."""

    outcome: str | None
    """One of `api.names.OUTCOME_...`; None where it is unknown."""
    cause: str | None = None
    """Why the last bytes of the streams may be missing; None where the streams are complete."""


class Trainer(Protocol):
    """The trainer's attempts, and messages to the launcher that runs them."""

    def started(self) -> Sequence[int]:
        """Return the numbers of all attempts that have begun, in any order."""

    def record(self, attempt: int) -> AttemptRecord | None:
        """Return how an attempt began; None without a record."""

    def ended(self, attempt: int) -> AttemptEnd | None:
        """Return how an attempt ended; None while it runs."""

    def alive(self, attempt: int) -> bool:
        """Return whether the launcher of an attempt still reads messages."""

    def following(self, attempt: int) -> bool:
        """Send that the attempt is followed; return whether a launcher reads it."""

    def stop(self, attempt: int) -> bool:
        """Send that the trainer must stop; return whether a launcher reads it."""

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        """Send that all is stored, or why not; return whether a launcher reads it."""


class EarlyStopping(Protocol):
    """The service to which early stops are reported."""

    def stopped(self) -> None:
        """Report that the trial was stopped.

        Raises:
            Unavailable: no answer; the report may be repeated.
            RemoteError: refused, and another try would be refused too.
        """


class NetworkProxy(Protocol):
    """A network proxy in the pod whose container does not end by itself."""

    def quit(self) -> None:
        """Ask the proxy to end. Nothing can be sent after this.

        Raises:
            Unavailable: no answer; the request may be repeated.
        """


class EchoOutput(Protocol):
    """The output to which the trainer's lines are copied. It never blocks."""

    def room(self) -> int:
        """Return how many bytes it accepts now."""

    def write(self, data: bytes) -> None:
        """Accept bytes, at most `room()`."""


class PushedPoints(Protocol):
    """The journal of the points that came by a call. It takes none before the first of these."""

    def open(self, attempt: int) -> None:
        """Take points of this attempt, unless it is sealed, and of later ones."""

    def seal(self, attempt: int) -> None:
        """Take no more points of this attempt and of earlier ones; take points of later ones.

        When it returns, all accepted points of these attempts can be read.
        """

    def accepted(self, attempt: int) -> int:
        """Return the offset before which all bytes of an attempt's journal are accepted.

        The bytes behind it must not be read: they may be removed again.

        Raises:
            Unavailable: the journal cannot be read at the moment.
        """


class MessageLog(Protocol):
    """The collector's own log."""

    def note(self, text: str) -> None:
        """Write one sentence about something usual."""

    def write(self, text: str) -> None:
        """Write one sentence about something that a person should look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All ports of a session."""

    files: FileSystem
    clock: Clock
    store: ObservationStore
    trainer: Trainer
    log: MessageLog
    early_stopping: EarlyStopping | None = None
    journal: PushedPoints | None = None
    """For a plan with a journal."""
    before_stop: Callable[[], None] | None = None
    """Called before the trainer is stopped early, for a last look at it while it lives."""
    echo: EchoOutput | None = None
    proxy: NetworkProxy | None = None
    """To end after the training has ended well and all is stored."""
