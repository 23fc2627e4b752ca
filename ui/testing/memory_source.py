"""A source in memory that keeps the contract of the port; tests change what it has."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence

from api.errors import Unavailable, UserError
from ui.model.curves import Point
from ui.sources.port import (
    ExperimentKey,
    LogPiece,
    NewPoint,
    NotFound,
    PointBatch,
    StoredExperiment,
    StoredPoints,
)


class MemorySource:
    """`ui.sources.port.Source` over dictionaries."""

    where = "in memory"
    makes = "put one there"

    def __init__(self) -> None:
        self._experiments: dict[ExperimentKey, StoredExperiment] = {}
        self._points: defaultdict[tuple[ExperimentKey, str], list[NewPoint]] = defaultdict(list)
        self._logs: defaultdict[tuple[ExperimentKey, str], bytes] = defaultdict(bytes)
        self._changed = asyncio.Condition()
        self._version = 0
        self.unavailable = ""
        """Why the store of points does not answer; "" if it does."""

    async def put(self, stored: StoredExperiment) -> None:
        """Store or replace an experiment."""
        metadata = stored.experiment.metadata
        self._experiments[ExperimentKey(metadata.namespace, metadata.name)] = stored
        await self._notify()

    async def remove(self, key: ExperimentKey) -> None:
        """Remove an experiment."""
        del self._experiments[key]
        await self._notify()

    async def report(self, key: ExperimentKey, trial: str, points: Sequence[NewPoint]) -> None:
        """Store points."""
        self._points[key, trial].extend(points)
        await self._notify(objects=False)

    async def print(self, key: ExperimentKey, trial: str, output: bytes) -> None:
        """Append to a log."""
        self._logs[key, trial] += output

    async def experiments(self) -> Sequence[StoredExperiment]:
        """Return all experiments."""
        return list(self._experiments.values())

    async def experiment(self, key: ExperimentKey) -> StoredExperiment:
        """Return one experiment."""
        if key not in self._experiments:
            raise NotFound(f"there is no experiment {key.name} {self.where}")
        return self._experiments[key]

    async def changes(self, key: ExperimentKey | None) -> AsyncGenerator[None]:  # noqa: ARG002 - each change may be of any experiment
        """Yield at each change."""
        seen = self._version
        while True:
            async with self._changed:
                while self._version == seen:
                    await self._changed.wait()
            seen = self._version
            yield

    async def stored_points(self, key: ExperimentKey, trial: str) -> StoredPoints:
        """Return all points of a trial."""
        points = self._reported(key, trial)
        by_metric: defaultdict[str, list[Point]] = defaultdict(list)
        for one in points:
            by_metric[one.metric].append(Point(one.micros, one.text, one.step))
        return StoredPoints(by_metric=by_metric, token=f"{trial}/{len(points)}")

    async def points(
        self, key: ExperimentKey, trial: str, after: str
    ) -> AsyncGenerator[PointBatch]:
        """Yield points, then new ones."""
        name, _, number = after.rpartition("/")
        if after and (name != trial or not number.isdigit()):
            raise UserError(f"Last-Event-ID: {after!r} is not a token of trial {trial}")
        sent = int(number or 0)
        while True:
            new = self._reported(key, trial)[sent:]
            if new:
                sent += len(new)
                yield PointBatch(points=tuple(new), token=f"{trial}/{sent}")
            async with self._changed:
                while not self.unavailable and len(self._points[key, trial]) == sent:
                    await self._changed.wait()

    async def log(self, key: ExperimentKey, trial: str, place: str, limit: int) -> LogPiece:
        """Return a piece of a log."""
        await self._check(key, trial)
        content = self._logs[key, trial]
        if not content:
            raise NotFound(f"trial {trial} has printed nothing yet")
        start = int(place) if place else max(len(content) - limit, 0)
        piece = content[start : start + limit]
        end = start + len(piece)
        return LogPiece(
            content=piece,
            place=str(end),
            is_tail=not place and start > 0,
            more=end < len(content),
        )

    async def close(self) -> None:
        """Do nothing."""

    async def _check(self, key: ExperimentKey, trial: str) -> None:
        names = {one.metadata.name for one in (await self.experiment(key)).trials}
        if trial not in names:
            raise NotFound(f"there is no trial {trial} in experiment {key.name}")

    def _reported(self, key: ExperimentKey, trial: str) -> list[NewPoint]:
        if self.unavailable:
            raise Unavailable(self.unavailable)
        stored = self._experiments.get(key)
        if stored is None or trial not in {one.metadata.name for one in stored.trials}:
            raise NotFound(f"there is no trial {trial} in experiment {key.name}")
        return self._points[key, trial]

    async def _notify(self, *, objects: bool = True) -> None:
        self._version += objects
        async with self._changed:
            self._changed.notify_all()
