"""Finds the event files of an attempt in a directory, as they appear.

A file is of the attempt in which it began. That is the first wall time in it: writers of event
files begin a new file whenever they start. Where the first record has no time, the file's last
write counts.

| the first record                               | what is done                                  |
|------------------------------------------------|-----------------------------------------------|
| began in this attempt                          | the file is followed                          |
| began before this attempt, or in the next one  | the file is left alone; the log says so once  |
| does not belong to an event file               | the same                                      |
| is not complete yet                            | the next look decides; at the end, the file   |
|                                                | is followed, so that its damage is reported   |

Only names with `tfevents` in them count, as for TensorBoard. Links to directories are not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from api.run_directory import AttemptRecord
from collector.streams.attempt_boundary import micros
from collector.streams.event_file import TICK, EventFile
from collector.streams.files import FileStat, FileSystem, LeavesVolume
from filters.event_files.first_event import ENOUGH_BYTES, NoTime, first_time

NAME_PART = "tfevents"
"""What each event file has in its name."""
MOST_FILES = 500
"""The most files of an attempt: each one stays open, and has its place in the checkpoint."""
MOST_DIRECTORIES = 1_000
_LAST_SECOND = 253_402_300_800.0
"""The end of the year 9999."""


class EventDirectory:
    """The event files below a directory, within one attempt."""

    def __init__(
        self, directory: str, files: FileSystem, record: AttemptRecord, log: Callable[[str], None]
    ) -> None:
        """Look below a directory; `log` takes a sentence."""
        self._directory = directory.rstrip("/") or "/"
        self._files = files
        self._since = micros(record.started) - TICK
        self._log = log
        self._left_alone: dict[str, FileStat] = {}
        self._logged: set[str] = set()

    def new_files(
        self, followed: Container[str], count: int, *, over: bool, later: AttemptRecord | None
    ) -> Iterator[EventFile]:
        """Yield the files of the attempt that are not followed yet; `count` already are.

        `over` and `later` mean what they mean for a stream.
        """
        until = None if later is None else micros(later.started) - TICK
        for path in self._paths():
            if path in followed or not self._is_of_attempt(path, until, over=over):
                continue
            if count >= MOST_FILES:
                why = f"the training has more than {MOST_FILES} event files, which is the limit"
                self._log_once(path, why)
                return
            count += 1
            yield EventFile(path, self._files)

    def _paths(self) -> Iterator[str]:
        """Yield the paths that may be event files, in no special order."""
        directories = [self._directory]
        for directory in directories:
            for name in sorted(self._files.names(directory)):
                if NAME_PART in name:
                    yield f"{directory}/{name}"
            inner = self._files.directories(directory)
            directories += (f"{directory}/{name}" for name in sorted(inner))
            if len(directories) > MOST_DIRECTORIES:
                why = f"there are more than {MOST_DIRECTORIES} directories, which is the limit"
                self._log_once(directories[MOST_DIRECTORIES], why)
                del directories[MOST_DIRECTORIES:]

    def _is_of_attempt(self, path: str, until: int | None, *, over: bool) -> bool:
        try:
            stat = self._files.stat(path)
            if stat is None or self._left_alone.get(path) == stat:
                return False
            began = self._began(path, stat)
        except LeavesVolume as error:
            self._log_once(path, str(error))
            return False
        why = ""
        if began is NoTime.NO_EVENT_FILE:
            why = "it is not an event file"
        elif not isinstance(began, NoTime) and began < self._since:
            why = "it began before this training"
        if why:
            self._left_alone[path] = stat
            self._log_once(path, why)
            return False
        if isinstance(began, NoTime):
            return over and stat.size > 0
        return until is None or began < until

    def _began(self, path: str, stat: FileStat) -> int | NoTime:
        """Return when a file began, in microseconds since 1970; or what is there instead."""
        file = self._files.open(path)
        if file is None:
            return NoTime.TOO_SHORT
        try:
            time = first_time(file.read_at(0, ENOUGH_BYTES))
        finally:
            file.close()
        if isinstance(time, NoTime):
            return stat.mtime if time is NoTime.UNKNOWN else time
        return micros(time) if time < _LAST_SECOND else stat.mtime

    def _log_once(self, path: str, why: str) -> None:
        if path not in self._logged:
            self._logged.add(path)
            self._log(f"{path} is not read: {why}")
