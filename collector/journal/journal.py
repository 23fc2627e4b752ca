"""The journal of a pod's trial. See the charter of this package for how it is used."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from api.errors import TrialwatchError, Unavailable
from api.names import JOURNAL_DIR
from api.run_directory import SEGMENT_BYTES
from api.timestamps import from_micros
from collector.core.ports import Clock
from collector.journal.segment_files import DiskSegmentFiles, SegmentFiles
from collector.journal.segment_writer import SegmentWriter, StillWrittenError, end_on_disk
from filters.journal_finder import JournalPoint, journal_lines

WAIT_SECONDS = 5.0
"""How long a call waits for a training that has just begun to be seen."""
_LOOK_SECONDS = 0.02
_FAULT = "the journal cannot be written"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSizes:
    """How large a journal and its files may be, in bytes."""

    segment_bytes: int = SEGMENT_BYTES
    most_undelivered: int = 256 << 20
    """About; when so many wait for the store, no more points are accepted."""


class PerhapsAccepted(Unavailable):
    """The disk failed twice: it is unknown whether the points will be stored."""


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
    is_unknown: bool = False
    """The lines may be on the disk although they were refused."""
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
        sizes: JournalSizes | None = None,
        segments: SegmentFiles | None = None,
    ) -> None:
        """Write below `state_dir`, the directory of the checkpoint.

        `segments` are the files to write, by default those on the disk.
        """
        sizes = sizes or JournalSizes()
        self._directory = f"{state_dir}/{JOURNAL_DIR}"
        self._attempts = attempts
        self._segments = segments or DiskSegmentFiles()
        self._clock = clock
        self._segment_bytes = sizes.segment_bytes
        self._most_segments = max(1, sizes.most_undelivered // sizes.segment_bytes)
        self._changed = threading.Condition()
        self._waiting: list[_Call] = []
        self._is_writing = False
        """Whether a call writes, for itself and for the calls that wait."""
        self._files = threading.Lock()
        """Held while files are written; the fields below are changed with it only."""
        self._is_open = self._is_closed = False
        self._sealed = 0
        """The last attempt that takes no points any more."""
        self._writer: tuple[int, SegmentWriter] | None = None
        self._counted: int | None = None
        """The index of the segment before which the segments were counted, and were not many."""
        self._accepted: dict[int, int] = {}
        """By attempt, the offset behind the last accepted line."""

    def append(self, points: Iterable[JournalPoint], *, wait: float = WAIT_SECONDS) -> None:
        """Return once these points are on the disk; each of them will be stored exactly once.

        Where no attempt takes points, it waits up to `wait` seconds for one to begin.

        Raises:
            Unavailable: they are not accepted, and will not be stored; the message says why. A
                caller may try again.
            PerhapsAccepted: it is unknown whether they will be stored.
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
            if call.is_unknown:
                raise PerhapsAccepted(call.refusal)
            if not call.is_early or time.monotonic() >= deadline:
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

    def accepted(self, attempt: int) -> int:
        """Return the offset before which all bytes of an attempt's journal are accepted.

        What an earlier collector has left counts as accepted: all that it refused, it removed. So
        a call that it did not answer may be stored.

        Raises:
            Unavailable: the journal cannot be read at the moment.
        """
        end = self._accepted.get(attempt)
        if end is not None:
            return end
        try:
            with self._files:
                if attempt not in self._accepted:
                    self._accepted[attempt] = end_on_disk(
                        self._path(attempt), self._segment_bytes, self._segments
                    )
                return self._accepted[attempt]
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise Unavailable(f"the journal cannot be read: {why}") from error

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
        is_unknown = False
        try:
            with self._files:
                refusal, is_early = self._append(calls)
        except StillWrittenError as error:
            refusal, is_early, is_unknown = f"{_FAULT}: {error}", False, True
        except OSError as error:
            refusal, is_early = f"{_FAULT}: {os.strerror(error.errno or 0)}", False
        except TrialwatchError as error:  # the trainer may do anything to the run directory
            refusal, is_early = f"{_FAULT}: {error}", False
        for call in calls:
            call.refusal, call.is_early, call.is_unknown = refusal, is_early, is_unknown

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
        self._accepted[attempt] = writer.accepted
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
            writer = SegmentWriter(self._path(attempt), self._segment_bytes, self._segments)
            self._writer = attempt, writer
            self._accepted[attempt] = writer.accepted
        return self._writer[1]

    def _is_full(self, writer: SegmentWriter) -> bool:
        if self._counted == writer.index:
            return False
        paths = map(self._path, self._attempts.started())
        count = sum(len(self._segments.sizes(path)) for path in paths)
        is_full = count > self._most_segments
        self._counted = None if is_full else writer.index
        return is_full

    def _path(self, attempt: int) -> str:
        return f"{self._directory}/{attempt}"

    def _leave(self) -> None:
        if self._writer is not None:
            self._writer[1].close()
        self._writer = self._counted = None
