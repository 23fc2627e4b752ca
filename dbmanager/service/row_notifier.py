"""Who waits for new rows of a trial, and who has some."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class News:
    """Wakes the watchers of a trial's name, in this process; and all of them at the end."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.over = False
        """Whether the server is about to end."""

    @contextmanager
    def of(self, trial: str) -> Iterator[asyncio.Event]:
        """Give an event that each `tell` of this trial sets; who waits clears it."""
        event = asyncio.Event()
        self._waiting[trial].add(event)
        if self.over:
            event.set()
        try:
            yield event
        finally:
            self._waiting[trial].discard(event)
            if not self._waiting[trial]:
                del self._waiting[trial]

    def tell(self, trial: str) -> None:
        """Say that rows were stored, or deleted."""
        for event in self._waiting.get(trial, ()):
            event.set()

    def end(self) -> None:
        """Wake everybody: the server is about to end."""
        self.over = True
        for trial in list(self._waiting):
            self.tell(trial)
