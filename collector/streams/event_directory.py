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
|                                                | is followed, so that its damage is reported,  |
|                                                | unless the next attempt has written to it     |

A file with several names, or with a new name, is read once. Only names with `tfevents` in them
count, as for TensorBoard. Links to directories are not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

from api.errors import SetupError
from api.run_directory import AttemptRecord
from collector.streams.attempt_boundary import micros
from collector.streams.event_file import TICK, EventFile
from collector.streams.files import FileStat, FileSystem, LeavesVolume, OpenFile
from collector.streams.stream import Stream
from collector.streams.stream_position import Gap, StreamPosition
from filters.event_files.first_event import ENOUGH_BYTES, NoTime, first_time

NAME_PART = "tfevents"
"""What each event file has in its name."""
MOST_FILES = 500
"""The most files of an attempt: each one stays open, and has its place in the checkpoint."""
MOST_DIRECTORIES = 1_000
_LOOKS = 2
"""A file that is renamed during a look may be in neither place."""
_START = StreamPosition()
_TOO_LATE = "it took the name of a file that was read to its end, after the end of the training"
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
        self._gaps: set[Gap] = set()

    def new_files(
        self,
        followed: Mapping[str, Stream],
        places: Mapping[str, StreamPosition],
        *,
        over: bool,
        later: AttemptRecord | None,
    ) -> Iterator[EventFile | Gap]:
        """Yield the files of the attempt that are not followed yet, and gaps for too many files.

        `followed` may grow between two files. `over` and `later` mean what they mean for a stream.
        """
        until = None if later is None else micros(later.started) - TICK
        _hold(followed, places, self._since)
        for _ in range(_LOOKS):
            yield from self._look(followed, places, until, over=over)
            if not any(stream.is_missing for stream in _event_files(followed)):
                return

    def _look(
        self,
        followed: Mapping[str, Stream],
        places: Mapping[str, StreamPosition],
        until: int | None,
        *,
        over: bool,
    ) -> Iterator[EventFile | Gap]:
        for path in self._paths():
            if isinstance(path, Gap):
                yield path
                continue
            file = self._open(path, followed.get(path))
            if file is None:
                continue
            with ExitStack() as unless_new:
                unless_new.callback(file.close)
                place = places.get(path) or _START
                if _is_followed(file, followed) or (path in followed and not place.finished):
                    continue
                if not self._is_of_attempt(path, file, until, over=over):
                    continue
                if path in followed:
                    yield from self._gap_once(path, place.generation.serial + 1, _TOO_LATE)
                    continue
                if len(followed) >= MOST_FILES:
                    why = f"the training has more than {MOST_FILES} event files, which is the limit"
                    self._log_once(path, why)
                    yield from self._gap_once(self._directory, 1, why)
                    return
                unless_new.pop_all()
            stream = EventFile(path, self._files, file)
            stream.join(followed, _START, self._since)
            yield stream

    def _paths(self) -> Iterator[str | Gap]:
        """Yield the paths that may be event files, in no special order; a gap for missing ones."""
        directories = [self._directory]
        for directory in directories:
            names, inner = self._listed(directory)
            yield from (f"{directory}/{name}" for name in names if NAME_PART in name)
            directories += (f"{directory}/{name}" for name in inner)
            if len(directories) > MOST_DIRECTORIES:
                why = f"there are more than {MOST_DIRECTORIES} directories, which is the limit"
                self._log_once(directories[MOST_DIRECTORIES], why)
                yield from self._gap_once(self._directory, 1, why)
                del directories[MOST_DIRECTORIES:]

    def _listed(self, directory: str) -> tuple[list[str], list[str]]:
        """Return the names in a directory, and those of directories; log a refused one below."""
        try:
            names, inner = self._files.names(directory), self._files.directories(directory)
        except SetupError as error:
            if directory == self._directory:
                raise
            self._log_once(directory, str(error))
            return [], []
        return sorted(names), sorted(inner)

    def _open(self, path: str, stream: Stream | None) -> OpenFile | None:
        """Return the open file at a path; None if it is missing, left alone, or the stream's."""
        try:
            stat = self._files.stat(path)
            if stat is None or self._left_alone.get(path) == stat:
                return None
            if isinstance(stream, EventFile) and stream.inode == stat.inode:
                return None
            return self._files.open(path)
        except LeavesVolume as error:
            self._log_once(path, str(error))
            return None

    def _is_of_attempt(self, path: str, file: OpenFile, until: int | None, *, over: bool) -> bool:
        stat = file.stat()
        began = _began(file, stat)
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
            if not over or not stat.size:
                return False
            began = stat.mtime
        return until is None or began < until

    def _gap_once(self, path: str, serial: int, why: str) -> Iterator[Gap]:
        """Yield the gap of what is left out, unless an earlier look has done so."""
        gap = Gap(stream=path, generation=serial, start=0, end=None, why=why)
        if gap not in self._gaps:
            self._gaps.add(gap)
            yield gap

    def _log_once(self, path: str, why: str) -> None:
        if path not in self._logged:
            self._logged.add(path)
            self._log(f"{path} is not read: {why}")


def _began(file: OpenFile, stat: FileStat) -> int | NoTime:
    """Return when a file began, in microseconds since 1970; or what is there instead."""
    time = first_time(file.read_at(0, ENOUGH_BYTES))
    if isinstance(time, NoTime):
        return stat.mtime if time is NoTime.UNKNOWN else time
    return micros(time) if time < _LAST_SECOND else stat.mtime


def _hold(followed: Mapping[str, Stream], places: Mapping[str, StreamPosition], since: int) -> None:
    """Open the files that still have their names; the look then finds the renamed ones."""
    files = _event_files(followed)
    for stream in files:
        stream.join(followed, places.get(stream.name) or _START, since)
    for stream in files:
        stream.hold(places.get(stream.name) or _START)


def _event_files(followed: Mapping[str, Stream]) -> list[EventFile]:
    return [stream for stream in followed.values() if isinstance(stream, EventFile)]


def _is_followed(file: OpenFile, followed: Mapping[str, Stream]) -> bool:
    """Return whether one of the streams reads this file, under whatever name."""
    return any(stream.is_read_from(file) for stream in _event_files(followed))
