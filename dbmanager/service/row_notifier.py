"""Wakes watchers of a trial when its rows change."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class RowNotifier:
    """Wakes the watchers of a trial's name in this process, and all watchers at the end."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.ending = False
        """Whether the server is about to end."""

    @contextmanager
    def subscribe(self, trial: str) -> Iterator[asyncio.Event]:
        """Yield an event that each `notify` of this trial sets; the watcher clears it."""
        event = asyncio.Event()
        self._waiting[trial].add(event)
        if self.ending:
            event.set()
        try:
            yield event
        finally:
            self._waiting[trial].discard(event)
            if not self._waiting[trial]:
                del self._waiting[trial]

    def notify(self, trial: str) -> None:
        """Wake the watchers of a trial: rows were stored or deleted."""
        for event in self._waiting.get(trial, ()):
            event.set()

    def end(self) -> None:
        """Wake all watchers: the server is about to end."""
        self.ending = True
        for trial in list(self._waiting):
            self.notify(trial)
