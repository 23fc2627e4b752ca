"""What the core asks of the world. Every call may be the last one before a crash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from api.run_directory import AttemptRecord
from collector.core.batches import Batch
from collector.streams.files import FileSystem


class Clock(Protocol):
    """The time of day, and a time that only grows."""

    def micros(self) -> int:
        """Return microseconds since 1970 in UTC."""

    def monotonic(self) -> float:
        """Return seconds since some moment."""


class Sink(Protocol):
    """The store, as it is seen from here."""

    def send(self, batch: Batch) -> None:
        """Return once the batch is acknowledged.

        Raises:
            Unavailable: it may have been stored or not; the same batch may be sent again.
            RemoteError: it was refused, and will be.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an attempt ended. No byte of it comes after this is known."""

    outcome: str | None
    """One of `api.names.OUTCOME_...`; None where nobody knows."""
    cause: str | None = None
    """Why the streams may lack their last bytes; None where they are complete."""


class Runs(Protocol):
    """The attempts of the trainer, and the line to whoever runs it."""

    def started(self) -> Sequence[int]:
        """Return the numbers of all attempts that have begun, in any order."""

    def record(self, attempt: int) -> AttemptRecord | None:
        """Say how an attempt began; None where it left no record."""

    def ended(self, attempt: int) -> End | None:
        """Say how an attempt ended; None while it runs."""

    def alive(self, attempt: int) -> bool:
        """Say whether anyone still hears what is said of an attempt."""

    def following(self, attempt: int) -> bool:
        """Say that an attempt is read. False: nobody heard it."""

    def stop(self, attempt: int) -> bool:
        """Ask for the trainer's end. False: nobody heard it."""

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        """Say that everything is stored, or why it never will be. False: nobody heard it."""


class EarlyStopping(Protocol):
    """The service that is told of an early stop."""

    def stopped(self) -> None:
        """Tell it that the trial was stopped.

        Raises:
            Unavailable: it has not answered; ask again.
            RemoteError: it refused, and will.
        """


class Echo(Protocol):
    """Where the trainer's lines are shown. Never blocks."""

    def room(self) -> int:
        """Return how many bytes it can take now."""

    def write(self, data: bytes) -> None:
        """Take bytes, at most as many as there is room for."""


class Reporter(Protocol):
    """Takes what a reader of the collector's log should know."""

    def tell(self, text: str) -> None:
        """Take one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All of them."""

    files: FileSystem
    clock: Clock
    sink: Sink
    runs: Runs
    reporter: Reporter
    early_stopping: EarlyStopping | None = None
    echo: Echo | None = None
