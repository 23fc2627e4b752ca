"""Sleeping until there is something to do.

A wait has two parts. In the first only what is urgent ends it: a signal, a new attempt, the record
of an attempt's end. In the second any change ends it. Changes are watched only there, and no
longer than to the first one; the next follows no sooner than after a tenth of a second. So a
trainer, or a neighbour of its log, that writes a hundred thousand times a second costs little.

Directories are watched with inotify; on file systems without it, and where the kernel has no watch
left, the second part ends in time.
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
"""The longest wait, in seconds, where nothing can be watched."""
_SPACING = 0.1
"""Seconds between two wake-ups by changes."""
_OTHERS = 0.25
"""Seconds between two looks where it is other files that change."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is in a directory under names that begin, and end, alike."""

    directory: str
    prefix: str = ""
    suffix: str = ""
    records: bool = False
    """Attempts and their records appear there: watched all the time, for they are urgent."""

    def has(self, name: str) -> bool:
        """Say whether the name is one of them."""
        return name.startswith(self.prefix) and name.endswith(self.suffix)


class Wakeup(FileSystemEventHandler):
    """Sleeps, and is woken by files, signals and other threads."""

    def __init__(self, watched: Callable[[], list[Watched]], tell: Callable[[str], None]) -> None:
        """Watch these, as far as they exist: asked for anew at each wait.

        `tell` takes a sentence for the log.
        """
        self._watched = watched
        self._tell = tell
        self._any = threading.Event()
        self._now = threading.Event()
        # Two, for each has but one set of events for a directory, the one that was asked for last.
        self._for_records: BaseObserver | None = None
        self._for_changes: BaseObserver | None = None
        self._records: set[str] = set()
        """Directories that are watched all the time."""
        self._seen: object = None
        self._changed = float("-inf")
        """When a wait's second part has ended."""
        self._start()

    def wake(self) -> None:
        """End any wait; safe in a signal handler's thread."""
        self._now.set()
        self._any.set()

    def before_step(self) -> None:
        """Note how the files are now: what changes from here on ends the next wait."""
        for each in self._watched():
            if each.records and each.directory not in self._records:
                self._records.add(each.directory)
                if self._schedule(self._for_records, each.directory, _APPEARS) is None:
                    self._records.discard(each.directory)
        self._seen = self._state()

    def wait(self, least: float, most: float) -> None:
        """Sleep for `least` seconds unless it is urgent, then until a change, in all for `most`."""
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
        """Wake up, at once if a record or an attempt has appeared."""
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
        # What it says of itself is not for readers of our log; what matters is raised.
        logging.getLogger("watchdog").addHandler(logging.NullHandler())
        try:
            self._for_records, self._for_changes = InotifyObserver(), InotifyObserver()
            self._for_records.start()
            self._for_changes.start()
        except OSError as error:
            self._give_up(error)

    def _await_change(self, longest: float) -> bool:
        """Wait for the first change of all, so many seconds at most; say whether it is one of ours.

        It may have happened since the step began.
        """
        self._any.clear()
        with self._watching() as watching:
            if not self._now.is_set() and self._state() == self._seen:
                self._any.wait(longest if watching else min(longest, _NO_WATCH))
        return self._now.is_set() or not watching or self._state() != self._seen

    @contextlib.contextmanager
    def _watching(self) -> Iterator[bool]:
        """Watch for any change; say whether that can be done."""
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
        """Watch a directory; None where it has gone meanwhile, or where there is no watching."""
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
        self._tell(f"files are looked at once a second, for they cannot be watched: {error}")

    def _state(self) -> object:
        """Return what changes when a watched file does."""
        return sorted(
            (path, found.st_ino, found.st_size, found.st_mtime_ns)
            for each in self._watched()
            for found, path in _entries(each)
        )


def nearest_that_exists(path: str) -> str:
    """Return a directory, or the nearest above it that is there: in it the missing one is made."""
    place = Path(path)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return str(place)


def _entries(watched: Watched) -> Iterator[tuple[os.stat_result, str]]:
    with contextlib.suppress(OSError), os.scandir(watched.directory) as entries:
        for entry in entries:
            if watched.has(entry.name):
                with contextlib.suppress(OSError):
                    yield entry.stat(), entry.path
