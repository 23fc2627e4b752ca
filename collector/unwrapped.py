"""One attempt without a launcher: it began when we first looked, and ends when we are told so."""

from __future__ import annotations

from collections.abc import Sequence

from api.names import ATTEMPT_FILE
from api.run_directory import TAIL_BYTES, AttemptRecord, FileBorder
from collector.core.ports import Clock, End
from collector.streams.files import FileSystem


class Unwrapped:
    """`collector.core.ports.Runs`. How the trainer ended nobody knows; nobody hears us either."""

    def __init__(self, run_dir: str, path: str, files: FileSystem, clock: Clock) -> None:
        """Note where the file ends now, unless an earlier collector has done so."""
        self._record = _noted(f"{run_dir}/{ATTEMPT_FILE}", path, files, clock)
        self._over = False

    def end(self) -> None:
        """The trainer's containers have ended."""
        self._over = True

    def started(self) -> Sequence[int]:
        """Return the one attempt."""
        return (self._record.number,)

    def record(self, attempt: int) -> AttemptRecord | None:
        """Say how it began."""
        return self._record if attempt == self._record.number else None

    def ended(self, attempt: int) -> End | None:
        """Say that it has ended, once we were told so."""
        del attempt
        return End(outcome=None) if self._over else None

    def alive(self, attempt: int) -> bool:
        """Return False: nobody listens."""
        del attempt
        return False

    following = stop = alive

    def delivered(self, attempt: int, gave_up: str | None) -> bool:
        """Return False: nobody listens."""
        del attempt, gave_up
        return False


def _noted(note: str, path: str, files: FileSystem, clock: Clock) -> AttemptRecord:
    text = files.read(note)
    if text is not None:
        return AttemptRecord.from_json(text)
    border, file = None, files.open(path)
    if file is not None:
        inode, size, _ = file.stat()
        start = max(0, size - TAIL_BYTES)
        border = FileBorder(inode=inode, size=size, tail=file.read_at(start, size - start))
        file.close()
    record = AttemptRecord(number=1, started=clock.micros() / 1e6, file=border)
    files.replace(note, record.to_json())
    return record
