"""Waits until there is something to do.

A wait has two parts. In the first part only urgent events end it: a signal, a new attempt, the
record of an attempt's end. In the second part any change of a watched file ends it. Changes are
watched only in the second part, and only until the first change; the next wait for changes begins
at least 0.1 s later. So a trainer that writes a hundred thousand times a second costs little, and
so does another program that writes to the same directory.

Directories are watched with inotify. Without it (on some file systems, or when the kernel has no
watches left) the second part looks at the files once a second.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver, ObservedWatch
from watchdog.observers.inotify import InotifyObserver

from api.names import ATTEMPT_FILE, EXIT_FILE

_APPEARS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileMovedEvent,
]
_CHANGES: list[type[FileSystemEvent]] = [*_APPEARS, FileDeletedEvent, FileModifiedEvent]
_URGENT = {ATTEMPT_FILE, EXIT_FILE}
_NO_WATCH = 1.0
"""Seconds; the longest wait without inotify."""
_SPACING = 0.1
"""Seconds, at least, between two wake-ups by changes."""
_OTHERS = 0.25
"""Seconds between two looks while only other files change."""


@dataclass(frozen=True, slots=True)
class WatchedDirectory:
    """The files of a directory whose names have a prefix and a suffix."""

    directory: str
    prefix: str = ""
    suffix: str = ""
    records: bool = False
    """Attempts or their records appear here: urgent, so the directory is always watched."""

    def has(self, name: str) -> bool:
        """Return whether the name has the prefix and the suffix."""
        return name.startswith(self.prefix) and name.endswith(self.suffix)


class ChangeWaiter(FileSystemEventHandler):
    """Sleeps until files change, a signal comes, or another thread calls `wake`."""

    def __init__(
        self, watched: Callable[[], list[WatchedDirectory]], log: Callable[[str], None]
    ) -> None:
        """Watch these directories if they exist; `watched` is called for each wait.

        `log` takes a sentence.
        """
        self._watched = watched
        self._log = log
        self._any = threading.Event()
        self._now = threading.Event()
        # Two observers: one observer has only one set of events for each directory.
        self._for_records: BaseObserver | None = None
        self._for_changes: BaseObserver | None = None
        self._records: set[str] = set()
        """Directories that are always watched."""
        self._seen: object = None
        self._changed = float("-inf")
        """When a change has last ended a wait."""
        self._start()

    def wake(self) -> None:
        """End any wait; other threads may call this."""
        self._now.set()
        self._any.set()

    def before_step(self) -> None:
        """Note the state of the files; changes after this call end the next wait."""
        for each in self._watched():
            if each.records and each.directory not in self._records:
                self._records.add(each.directory)
                if self._schedule(self._for_records, each.directory, _APPEARS) is None:
                    self._records.discard(each.directory)
        self._seen = self._state()

    def wait(self, least: float, most: float) -> None:
        """Sleep for `least` seconds, then until a change, in total at most `most` seconds.

        Urgent events end both parts.
        """
        begun = time.monotonic()
        least = min(most, max(least, self._changed + _SPACING - begun))
        urgent = self._now.wait(least) if least > 0 else self._now.is_set()
        while not urgent and (left := begun + most - time.monotonic()) > 0:
            if self._await_change(left):
                self._changed = time.monotonic()
                break
            urgent = self._now.wait(min(_OTHERS, max(0.0, begun + most - time.monotonic())))
        self._now.clear()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """End the second part of a wait; both parts if a record or an attempt has appeared."""
        paths = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
        if not isinstance(event, FileModifiedEvent | FileDeletedEvent) and any(
            path.rpartition("/")[0] in self._records
            and (event.is_directory or path.rpartition("/")[2] in _URGENT)
            for path in paths
        ):
            self._now.set()
        self._any.set()

    def close(self) -> None:
        """Stop watching."""
        for observer in (self._for_records, self._for_changes):
            if observer is not None:
                observer.stop()
                observer.join()
        self._for_records = self._for_changes = None

    def _start(self) -> None:
        # Watchdog's own messages do not help readers of the log; its errors are raised.
        logging.getLogger("watchdog").addHandler(logging.NullHandler())
        try:
            self._for_records, self._for_changes = InotifyObserver(), InotifyObserver()
            self._for_records.start()
            self._for_changes.start()
        except OSError as error:
            self._give_up(error)

    def _await_change(self, longest: float) -> bool:
        """Wait for the first event; return whether a watched file has changed.

        The change may also have happened since `before_step`. `longest` is in seconds.
        """
        self._any.clear()
        with self._watching() as watching:
            if not self._now.is_set() and self._state() == self._seen:
                self._any.wait(longest if watching else min(longest, _NO_WATCH))
        return self._now.is_set() or not watching or self._state() != self._seen

    @contextlib.contextmanager
    def _watching(self) -> Iterator[bool]:
        """Watch for any change; yield False where watching is impossible."""
        watches = [
            self._schedule(self._for_changes, directory, _CHANGES)
            for directory in {each.directory for each in self._watched()}
        ]
        try:
            yield self._for_changes is not None
        finally:
            for watch in watches:
                if watch is not None and self._for_changes is not None:
                    with contextlib.suppress(KeyError, OSError):
                        self._for_changes.unschedule(watch)

    def _schedule(
        self, observer: BaseObserver | None, path: str, events: list[type[FileSystemEvent]]
    ) -> ObservedWatch | None:
        """Watch a directory; return None if it is missing, or if watching is impossible."""
        if observer is None:
            return None
        try:
            return observer.schedule(self, path, event_filter=events)
        except FileNotFoundError:
            self._any.set()  # look again
        except OSError as error:
            self._give_up(error)
        return None

    def _give_up(self, error: OSError) -> None:
        self.close()
        self._log(f"cannot watch files, looking at them once a second instead: {error}")

    def _state(self) -> object:
        """Return a value that changes whenever a watched file does."""
        return sorted(
            (path, stat.st_ino, stat.st_size, stat.st_mtime_ns)
            for each in self._watched()
            for stat, path in _entries(each)
        )


def nearest_that_exists(path: str) -> str:
    """Return a directory, or the nearest existing one above it, where the missing one will be."""
    directory = Path(path)
    while not directory.is_dir() and directory != directory.parent:
        directory = directory.parent
    return str(directory)


def _entries(watched: WatchedDirectory) -> Iterator[tuple[os.stat_result, str]]:
    with contextlib.suppress(OSError), os.scandir(watched.directory) as entries:
        for entry in entries:
            if watched.has(entry.name):
                with contextlib.suppress(OSError):
                    yield entry.stat(), entry.path
