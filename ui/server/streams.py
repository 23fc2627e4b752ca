"""The live streams: one for the table of experiments, one for each experiment's pages.

    event     data                                    when
    hello     {}                                      first: what the page reads now is not older
    list      ExperimentList                          an experiment has changed
    state     {page, trials: the changed ones, total} the experiment has changed
    points    [LivePoints]                            new points of running trials
    gone      {error}                                 the experiment was deleted; the stream ends
    trouble   {error}                                 a part cannot be read now; the stream goes on

A page opens its stream, and reads the API when `hello` comes. So a change falls either into what it
reads, or into the stream, or into both, and both have the same values.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from api.errors import RemoteError, SetupError, TrialwatchError, UserError
from api.metric_values import finite
from ui.model.experiment_page import ExperimentPage
from ui.model.experiment_summary import ExperimentSummary
from ui.model.trial_columns import TrialColumns, changed_since, trial_columns
from ui.server.events import LivePoints, Reached, event, read_last_id
from ui.server.pages import Pages, running_trials
from ui.sources.port import ExperimentKey, NotFound, PointBatch, StoredExperiment

_MOST_WAITING: Final = 64
"""Events that may wait for a slow browser; then the sources wait."""
_AGAIN: Final = 1.0
"""Seconds before the next attempt, if a source cannot be read."""
_GATHERED: Final = 0.05
"""Seconds in which points are gathered into one event."""
_LEAST_BETWEEN: Final = 0.3
"""Seconds between two events about the table of all experiments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """What has changed of an experiment."""

    page: ExperimentPage
    trials: TrialColumns
    """The changed ones."""
    total: int


async def list_stream(pages: Pages) -> AsyncGenerator[bytes]:
    """Yield the events of the table of all experiments, for ever."""
    async with aclosing(pages.source.changes(None)) as changes:
        yield event("hello", {})
        async for _ in changes:
            try:
                yield event("list", await pages.experiments())
            except TrialwatchError as error:
                yield event("trouble", {"error": str(error)})
            await asyncio.sleep(_LEAST_BETWEEN)


class _Event(NamedTuple):
    name: str
    data: Any
    reached: Mapping[str, Reached] = {}


class ExperimentStream:
    """The events of the pages of one experiment."""

    def __init__(
        self, pages: Pages, key: ExperimentKey, last_id: str = "", *, with_points: bool
    ) -> None:
        """Make it; `last_id` is the `Last-Event-ID` of the stream before, "" for a new one.

        Raises:
            UserError: the id is not of this server.
        """
        self._pages, self._key, self._with_points = pages, key, with_points
        self._sent = read_last_id(last_id)
        self._is_new = not last_id
        self._queue: asyncio.Queue[_Event] = asyncio.Queue(_MOST_WAITING)
        self._following: dict[str, asyncio.Task[None]] = {}
        self._shown: ExperimentSummary | None = None

    async def events(self) -> AsyncGenerator[bytes]:
        """Yield events until the experiment is deleted.

        Raises:
            NotFound: the experiment does not exist.
        """
        stored = await self._pages.source.experiment(self._key)
        self._shown = self._pages.summary(stored)
        await self._follow_running(stored)
        yield event("hello", {}, self._sent)
        watching = asyncio.create_task(self._watch())
        try:
            while not (watching.done() and self._queue.empty()):
                coming = await self._next()
                if coming is not None:
                    self._sent.update(coming.reached)
                    yield event(coming.name, coming.data, self._sent)
            watching.result()
        finally:
            watching.cancel()
            for task in self._following.values():
                task.cancel()
            await asyncio.gather(watching, *self._following.values(), return_exceptions=True)

    async def _next(self) -> _Event | None:
        """Return the next event; None if none comes within a second."""
        try:
            async with asyncio.timeout(_AGAIN):
                return await self._queue.get()
        except TimeoutError:
            return None

    async def _watch(self) -> None:
        """Send each change of the objects; return when the experiment is gone."""
        async with aclosing(self._pages.source.changes(self._key)) as changes:
            async for _ in changes:
                try:
                    await self._send_state()
                except NotFound as error:
                    await self._queue.put(_Event("gone", {"error": str(error)}))
                    return
                except TrialwatchError as error:
                    await self._queue.put(_Event("trouble", {"error": str(error)}))

    async def _send_state(self) -> None:
        stored = await self._pages.source.experiment(self._key)
        summary = self._pages.summary(stored)
        changed = changed_since(self._shown, summary)
        self._shown = summary
        change = StateChange(
            page=self._pages.head(stored),
            trials=trial_columns(summary, stored.trials, changed),
            total=len(stored.trials),
        )
        await self._queue.put(_Event("state", change))
        await self._follow_running(stored)

    async def _follow_running(self, stored: StoredExperiment) -> None:
        """Follow the points of each running trial, and only of those."""
        running = set(running_trials(stored)) if self._with_points else set()
        for name in [name for name in self._following if name not in running]:
            self._following.pop(name).cancel()
            self._sent.pop(name, None)
        for name in running - set(self._following):
            if self._is_new:
                await self._begin_at_end(name)
            begin = self._sent.get(name, Reached())
            self._following[name] = asyncio.create_task(self._follow(name, begin))
        self._is_new = False

    async def _begin_at_end(self, trial: str) -> None:
        """Begin behind the points that the page reads by itself."""
        with suppress(TrialwatchError):  # reading the points says why
            stored = await self._pages.source.stored_points(self._key, trial)
            counts = {name: len(points) for name, points in stored.by_metric.items()}
            self._sent[trial] = Reached(token=stored.token, counts=counts)

    async def _follow(self, trial: str, reached: Reached) -> None:
        """Send the points of a trial until the task is cancelled; go on after each failure."""
        while True:
            try:
                points = self._pages.source.points(self._key, trial, reached.token)
                async with aclosing(points) as batches:
                    async for batch in batches:
                        live, reached = live_points(trial, reached, batch)
                        await self._queue.put(_Event("points", live, {trial: reached}))
                        await asyncio.sleep(_GATHERED)
            except (RemoteError, SetupError) as error:
                await self._queue.put(_Event("trouble", {"error": str(error)}))
            except NotFound:
                return
            except UserError:
                reached = Reached()  # of another store: from the first point; pages skip repeats
            await asyncio.sleep(_AGAIN)


def live_points(
    trial: str, reached: Reached, batch: PointBatch
) -> tuple[list[LivePoints], Reached]:
    """Return the points of a batch by metric, and how far the trial has come with them."""
    by_metric: dict[str, LivePoints] = {}
    for point in batch.points:
        if point.metric not in by_metric:
            first = reached.counts.get(point.metric, 0)
            by_metric[point.metric] = LivePoints(
                trial=trial, metric=point.metric, first=first, times=[], steps=[], values=[]
            )
        by_metric[point.metric].times.append(point.micros / 1e6)
        by_metric[point.metric].steps.append(point.step)
        by_metric[point.metric].values.append(finite(point.text))
    counts = {name: one.first + len(one.values) for name, one in by_metric.items()}
    now = Reached(token=batch.token, counts={**reached.counts, **counts})
    return list(by_metric.values()), now


def stream_types() -> tuple[Any, ...]:
    """Return the types of the data of events, for the document."""
    return StateChange, LivePoints
