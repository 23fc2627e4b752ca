"""`controller.driver.ports.TrialPoints` whose values the test gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from api.errors import Unavailable
from api.types import Trial
from controller.driver.ports import StoredPoint
from stopping.curves import Point


class MemoryPoints:
    """Values by trial; `away` is the error with which reads and streams fail, if not empty."""

    def __init__(self) -> None:
        self.values: dict[str, list[StoredPoint]] = {}
        self.of_failed_starts: set[str] = set()
        """Trials whose values come by the stream and do not count."""
        self.away = ""
        self.watched: list[str] = []
        self.reads: list[str] = []
        self.open = 0
        """Streams that are open."""
        self._changed = asyncio.Condition()

    async def printed(self, trial: str, *values: float, metric: str = "loss") -> None:
        """Let a trial print values; each has a step of its own."""
        known = self.values.setdefault(trial, [])
        for value in values:
            step = len(known) + 1
            known.append(StoredPoint(metric, Point(str(value), step, step * 1_000_000)))
        async with self._changed:
            self._changed.notify_all()

    async def watch(
        self, trial: Trial, metrics: Sequence[str]
    ) -> AsyncGenerator[Sequence[StoredPoint]]:
        name, sent = trial.metadata.name, 0
        self.watched.append(name)
        self.open += 1
        try:
            while True:
                if self.away:
                    raise Unavailable(self.away)
                found = self.values.get(name, [])
                if new := [one for one in found[sent:] if one.metric in metrics]:
                    yield new
                sent = len(found)
                async with self._changed:
                    await self._changed.wait()
        finally:
            self.open -= 1

    async def read(self, trial: Trial, metrics: Sequence[str]) -> Sequence[StoredPoint]:
        name = trial.metadata.name
        self.reads.append(name)
        if self.away:
            raise Unavailable(self.away)
        if name in self.of_failed_starts:
            return []
        return [one for one in self.values.get(name, []) if one.metric in metrics]
