"""One attempt without a launcher: from the collector's first look until SIGTERM."""

from __future__ import annotations

from collections.abc import Sequence

from api.names import ATTEMPT_FILE
from api.run_directory import TAIL_BYTES, AttemptRecord, FileBorder
from collector.core.no_launcher import NoLauncher
from collector.core.ports import AttemptEnd, Clock
from collector.streams.files import FileSystem


class UnwrappedTrainer(NoLauncher):
    """`collector.core.ports.Trainer`, without a launcher: the outcome stays unknown."""

    def __init__(self, run_dir: str, path: str, files: FileSystem, clock: Clock) -> None:
        """Note where the file ends now, unless an earlier collector has noted it."""
        self._record = _noted(f"{run_dir}/{ATTEMPT_FILE}", path, files, clock)
        self._over = False

    def end(self) -> None:
        """Note that the trainer's containers have ended."""
        self._over = True

    def started(self) -> Sequence[int]:
        """Return the one attempt."""
        return (self._record.number,)

    def record(self, attempt: int) -> AttemptRecord | None:
        """Return how the attempt began."""
        return self._record if attempt == self._record.number else None

    def ended(self, attempt: int) -> AttemptEnd | None:
        """Return the end once `end` was called."""
        del attempt
        return AttemptEnd(outcome=None) if self._over else None


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
