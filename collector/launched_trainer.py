"""The attempts of a trainer under a launcher, read from the run directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from api.errors import RemoteError
from api.names import (
    ATTEMPT_FILE,
    ATTEMPTS_DIR,
    EXIT_FILE,
    OUTCOME_FAILED,
    OUTCOME_STOPPED,
    OUTCOME_SUCCEEDED,
)
from api.run_directory import AttemptRecord, ExitRecord
from collector.core.ports import AttemptEnd
from collector.streams.files import FileSystem

_LONGEST_CAUSE = 1_000
"""Characters of a cause in the log."""


class LauncherControl(Protocol):
    """Messages to the launcher of an attempt. Each returns whether a launcher reads them."""

    def alive(self, attempt: int) -> bool:
        """Return whether the launcher runs."""

    def following(self, attempt: int) -> bool:
        """Write `following`."""

    def stop(self, attempt: int) -> bool:
        """Write `stop`."""

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        """Write `delivered ok`, or `delivered gave-up: CAUSE`."""


class LaunchedTrainer:
    """`collector.core.ports.Trainer` beside a launcher."""

    def __init__(self, run_dir: str, files: FileSystem, control: LauncherControl) -> None:
        """Read a run directory; send messages by `control`."""
        self._run_dir = run_dir
        self._files = files
        self._control = control
        self._records: dict[int, AttemptRecord] = {}
        self.alive = control.alive
        self.following = control.following
        self.stop = control.stop
        self.delivered = control.delivered

    def started(self) -> Sequence[int]:
        """Return the numbers of the attempts that have a record."""
        names = self._files.names(f"{self._run_dir}/{ATTEMPTS_DIR}")
        numbers = (int(name) for name in names if name.isdecimal())
        return [number for number in numbers if self.record(number) is not None]

    def record(self, attempt: int) -> AttemptRecord | None:
        """Return how an attempt began."""
        if attempt not in self._records:
            text = self._files.read(f"{self.directory(attempt)}/{ATTEMPT_FILE}")
            if text is None or not text.endswith(b"\n"):
                return None  # the launcher is still writing it
            self._records[attempt] = AttemptRecord.from_json(text)
        return self._records[attempt]

    def ended(self, attempt: int) -> AttemptEnd | None:
        """Return how an attempt ended.

        A launcher that is dead, or has begun another attempt, does not write this record any more.
        """
        end = self._exit(attempt)
        if end is not None or (self._control.alive(attempt) and not self._is_past(attempt)):
            return end
        return self._exit(attempt) or AttemptEnd(
            outcome=OUTCOME_FAILED,
            cause="the launcher was killed: what the trainer wrote last may be missing",
        )

    def directory(self, attempt: int) -> str:
        """Return the directory of an attempt."""
        return f"{self._run_dir}/{ATTEMPTS_DIR}/{attempt}"

    def _is_past(self, attempt: int) -> bool:
        return any(number > attempt for number in self.started())

    def _exit(self, attempt: int) -> AttemptEnd | None:
        text = self._files.read(f"{self.directory(attempt)}/{EXIT_FILE}")
        if text is None:
            return None
        record = ExitRecord.from_json(text)
        if record.attempt != attempt:
            raise RemoteError(
                f"the exit record of attempt {attempt} is that of attempt {record.attempt}; only"
                " the launcher may write it"
            )
        by_itself = record.status == 0 and record.signal is None
        outcome = OUTCOME_SUCCEEDED if by_itself else OUTCOME_FAILED
        return AttemptEnd(
            outcome=OUTCOME_STOPPED if record.stopped else outcome,
            cause=None if record.complete else (record.cause or "")[:_LONGEST_CAUSE],
        )
