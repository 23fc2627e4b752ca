"""The journal of a pod's trial. See the charter of this package for how it is used."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from api.errors import TrialwatchError, Unavailable
from api.names import JOURNAL_DIR, JOURNAL_SEGMENT
from api.run_directory import SEGMENT_BYTES
from api.timestamps import from_micros
from collector.core.ports import Clock
from collector.journal.segment_writer import SegmentWriter
from filters.journal_finder import JournalPoint, journal_lines

MOST_UNDELIVERED = 256 << 20
"""Bytes, about, that wait for the store; then no more points are accepted."""
WAIT_SECONDS = 5.0
"""How long a call waits for a training that has just begun to be seen."""
_LOOK_SECONDS = 0.02
_FAULT = "the journal cannot be written"


class Attempts(Protocol):
    """The part of `collector.core.ports.Trainer` that the journal uses, from any thread."""

    def started(self) -> Sequence[int]:
        """Return the numbers of all attempts that have begun, in any order."""


@dataclass(slots=True)
class _Call:
    """One call of `append`, until it is answered."""

    lines: bytes
    is_done: bool = False
    refusal: str | None = _FAULT
    """None once the lines are on the disk."""
    is_early: bool = False
    """No attempt takes points now; one may begin soon."""


class Journal:
    """Appends points durably, one group of calls after the other. `PushedPoints` for a session.

    All methods may be called from any thread.
    """

    def __init__(
        self,
        state_dir: str,
        attempts: Attempts,
        clock: Clock,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        most_undelivered: int = MOST_UNDELIVERED,
    ) -> None:
        """Write below `state_dir`, the directory of the checkpoint; sizes are in bytes."""
        self._directory = Path(state_dir, JOURNAL_DIR)
        self._attempts = attempts
        self._clock = clock
        self._segment_bytes = segment_bytes
        self._most_segments = max(1, most_undelivered // segment_bytes)
        self._changed = threading.Condition()
        self._waiting: list[_Call] = []
        self._is_writing = False
        """Whether a call writes, for itself and for the calls that wait."""
        self._files = threading.Lock()
        """Held while files are written; the fields below belong to it."""
        self._is_open = self._is_closed = False
        self._sealed = 0
        """The last attempt that takes no points any more."""
        self._writer: tuple[int, SegmentWriter] | None = None
        self._counted: int | None = None
        """The index of the segment before which the segments were counted, and were not many."""

    def append(self, points: Iterable[JournalPoint], *, wait: float = WAIT_SECONDS) -> None:
        """Return once these points are on the disk; each of them will be stored exactly once.

        Where no attempt takes points, it waits up to `wait` seconds for one to begin.

        Raises:
            Unavailable: they are not accepted; the message says why. A caller may try again.
        """
        now = from_micros(self._clock.micros())
        stamped = (p if p.timestamp else p._replace(timestamp=now) for p in points)
        lines = b"".join(journal_lines(stamped))
        if not lines:
            return
        deadline = time.monotonic() + wait
        while True:
            call = _Call(lines)
            self._write_with_others(call)
            if call.refusal is None:
                return
            if not call.is_early or time.monotonic() > deadline:
                raise Unavailable(call.refusal)
            time.sleep(_LOOK_SECONDS)

    def open(self, attempt: int) -> None:
        """Take points of this attempt, unless it is sealed, and of later ones."""
        del attempt  # it is the one that has begun last, or that one will follow it
        with self._files:
            self._is_open = True

    def seal(self, attempt: int) -> None:
        """Take no more points of this attempt and of earlier ones; take points of later ones.

        When it returns, all accepted points of these attempts can be read.
        """
        with self._files:
            self._is_open = True
            self._sealed = max(self._sealed, attempt)

    def close(self) -> None:
        """Close the files; later calls are refused."""
        with self._files:
            self._is_open, self._is_closed = False, True
            self._leave()

    # One call writes for all calls that wait

    def _write_with_others(self, call: _Call) -> None:
        with self._changed:
            self._waiting.append(call)
            while self._is_writing and not call.is_done:
                self._changed.wait()
            if call.is_done:
                return
            self._is_writing = True
            calls, self._waiting = self._waiting, []
        try:
            self._write(calls)
        finally:
            with self._changed:
                self._is_writing = False
                for each in calls:
                    each.is_done = True
                self._changed.notify_all()

    def _write(self, calls: Sequence[_Call]) -> None:
        try:
            with self._files:
                refusal, is_early = self._append(calls)
        except OSError as error:
            refusal, is_early = f"{_FAULT}: {os.strerror(error.errno or 0)}", False
        except TrialwatchError as error:  # the trainer may do anything to the run directory
            refusal, is_early = f"{_FAULT}: {error}", False
        for call in calls:
            call.refusal, call.is_early = refusal, is_early

    def _append(self, calls: Sequence[_Call]) -> tuple[str | None, bool]:
        """Write all lines; return why not, and whether it may soon be possible."""
        attempt = self._running()
        if attempt is None:
            return "no training runs that could report metrics", not self._is_closed
        writer = self._writer_of(attempt)
        if self._is_full(writer):
            size = self._most_segments * self._segment_bytes
            return (
                f"{size} bytes of metrics wait for the DB manager, and more are not accepted;"
                " see the log of the collector"
            ), False
        writer.append(b"".join(call.lines for call in calls))
        return None, False

    def _running(self) -> int | None:
        """Return the attempt that takes points now."""
        if not self._is_open:
            return None
        newest = max(self._attempts.started(), default=0)
        return newest if newest > self._sealed else None

    def _writer_of(self, attempt: int) -> SegmentWriter:
        if self._writer is None or self._writer[0] != attempt:
            self._leave()
            writer = SegmentWriter(str(self._directory / str(attempt)), self._segment_bytes)
            self._writer = attempt, writer
        return self._writer[1]

    def _is_full(self, writer: SegmentWriter) -> bool:
        if self._counted == writer.index:
            return False
        count = sum(1 for _ in self._directory.glob(f"*/{JOURNAL_SEGMENT}*"))
        is_full = count > self._most_segments
        self._counted = None if is_full else writer.index
        return is_full

    def _leave(self) -> None:
        if self._writer is not None:
            self._writer[1].close()
        self._writer = self._counted = None
