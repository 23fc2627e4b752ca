"""Sleeping until there is something to do.

A wait has two parts. In the first only what is urgent ends it: a signal, a new attempt, the record
of an attempt's end. A trainer that writes a hundred thousand times a second costs nothing there,
for nobody watches its files. In the second any change ends it. Files are watched with inotify; on
file systems without it, and where the kernel has no watch left, the second part ends in time.
"""

from __future__ import annotations

import contextlib
import os
import threading
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

_APPEARS = [DirCreatedEvent, DirMovedEvent, FileCreatedEvent, FileMovedEvent]
_CHANGES = [*_APPEARS, FileDeletedEvent, FileModifiedEvent]
_URGENT = {ATTEMPT_FILE, EXIT_FILE}
_NO_WATCH = 1.0
"""The longest wait, in seconds, where nothing can be watched."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Files in a directory whose names begin alike."""

    directory: str
    prefix: str = ""


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
        self._observer: BaseObserver | None = None
        self._permanent: dict[str, ObservedWatch] = {}
        self._seen: object = None
        self._start()

    def wake(self) -> None:
        """End any wait; safe in a signal handler's thread."""
        self._now.set()
        self._any.set()

    def before_step(self) -> None:
        """Note how the files are now: what changes from here on ends the next wait."""
        self._seen = self._state()

    def wait(self, least: float, most: float) -> None:
        """Sleep for `least` seconds unless it is urgent, then until a change, in all for `most`."""
        urgent = self._now.wait(least) if least > 0 else self._now.is_set()
        if not urgent and most > least:
            self._any.clear()
            with self._watching() as watched:
                if not self._now.is_set() and self._state() == self._seen:
                    longest = most - least if watched else min(most - least, _NO_WATCH)
                    self._any.wait(longest)
        self._now.clear()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake up, at once if a record has appeared."""
        paths = (os.fsdecode(event.src_path), os.fsdecode(event.dest_path))
        if not isinstance(event, FileModifiedEvent) and any(
            path.rpartition("/")[2] in _URGENT or event.is_directory for path in paths
        ):
            self._now.set()
        self._any.set()

    def close(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def _start(self) -> None:
        observer = InotifyObserver()
        try:
            observer.start()
        except OSError as error:
            self._give_up(error)
        else:
            self._observer = observer

    @contextlib.contextmanager
    def _watching(self) -> Iterator[bool]:
        """Watch for any change; say whether that can be done."""
        watches: list[ObservedWatch] = []
        for directory in {each.directory for each in self._watched()}:
            if self._observer is None:
                break
            try:
                if directory not in self._permanent:
                    self._permanent[directory] = self._observer.schedule(
                        self, directory, event_filter=_APPEARS
                    )
                watches.append(self._observer.schedule(self, directory, event_filter=_CHANGES))
            except FileNotFoundError:
                continue
            except OSError as error:
                self._give_up(error)
        try:
            yield self._observer is not None and bool(watches)
        finally:
            for watch in watches:
                if self._observer is not None:
                    with contextlib.suppress(KeyError, OSError):
                        self._observer.unschedule(watch)

    def _give_up(self, error: OSError) -> None:
        self.close()
        self._tell(f"files are looked at once a second, for they cannot be watched: {error}")

    def _state(self) -> object:
        """Return what changes when a watched file does."""
        found = []
        for each in self._watched():
            with contextlib.suppress(OSError), os.scandir(each.directory) as entries:
                for entry in entries:
                    if not entry.name.startswith(each.prefix):
                        continue
                    with contextlib.suppress(OSError):
                        stat = entry.stat()
                        found.append((entry.path, stat.st_ino, stat.st_size, stat.st_mtime_ns))
        return sorted(found)


def nearest_that_exists(path: str) -> str:
    """Return a directory, or the nearest above it that is there: in it the missing one is made."""
    place = Path(path)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return str(place)
