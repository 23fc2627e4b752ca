"""The values of each page, from a source: what the API returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cachetools import LRUCache

from api.documents import text_at
from api.objects.yamlout import dump_objects
from api.types import Trial
from controller.reconcile.trial_states import has_ended
from ui.model.best import COUNTED, best_first
from ui.model.curves import Band, Curve, Point, band_of, reduced
from ui.model.experiment_list import ExperimentList, experiment_list
from ui.model.experiment_page import ExperimentPage, experiment_page
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState, summary_of
from ui.model.importance import Importance, importance_of
from ui.model.trial_columns import TrialColumns, trial_columns
from ui.model.trial_page import TrialPage, trial_page
from ui.sources.port import ExperimentKey, LogPiece, NotFound, Source, StoredExperiment

_CACHED_CURVES: Final = 4000
_MOST_IN_BAND: Final = 400
"""The most trials that a band is made of; of more, every n-th one counts."""
_BAND_BUCKETS: Final = 60
LOG_BYTES: Final = 128 << 10
"""The most bytes of a piece of a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """The curves of one metric: some trials in full, the others as a band."""

    metric: str
    curves: tuple[Curve, ...]
    band: Band | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogText:
    """A piece of a trial's log as text."""

    text: str
    """Bytes that are not UTF-8 are replaced."""
    place: str
    """Continues behind this piece."""
    is_tail: bool
    """Whether older output was left out before this piece."""
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveWish:
    """Which curves a page wants."""

    metric: str
    buckets: int = 200
    top: int = 6
    """How many of the best trials."""
    trials: tuple[str, ...] = ()
    """Besides the best and the running ones."""
    window: tuple[int, int] | None = None


class Pages:
    """Reads a source, and returns what the pages show."""

    def __init__(self, source: Source, now: Callable[[], datetime]) -> None:
        self.source = source
        self._now = now
        self._curves: LRUCache[tuple[object, ...], Curve] = LRUCache(_CACHED_CURVES)
        self._importance: LRUCache[ExperimentKey, tuple[object, Importance]] = LRUCache(32)

    async def experiments(self) -> ExperimentList:
        """Return the table of all experiments."""
        stored = await self.source.experiments()
        rows = [
            (one.experiment.metadata.namespace, created_of(one), self.summary(one))
            for one in stored
        ]
        return experiment_list(rows, self.source.where, self.source.makes)

    async def experiment(self, key: ExperimentKey) -> ExperimentPage:
        """Return the head of the page of an experiment."""
        stored = await self.source.experiment(key)
        return self.head(stored)

    def head(self, stored: StoredExperiment) -> ExperimentPage:
        """Return the head of the page of an experiment that was read."""
        return experiment_page(stored.experiment, self.summary(stored), created_of(stored))

    async def trials(self, key: ExperimentKey) -> TrialColumns:
        """Return all trials in columns."""
        stored = await self.source.experiment(key)
        return trial_columns(self.summary(stored), stored.trials)

    async def yaml(self, key: ExperimentKey) -> str:
        """Return the object as YAML."""
        stored = await self.source.experiment(key)
        return dump_objects([stored.document])

    async def trial(self, key: ExperimentKey, trial: str) -> TrialPage:
        """Return the page of a trial."""
        stored = await self.source.experiment(key)
        summary = self.summary(stored)
        return trial_page(_named(stored, trial), _row(summary, trial), summary)

    async def log(self, key: ExperimentKey, trial: str, place: str) -> LogText:
        """Return a piece of the trial's log."""
        piece: LogPiece = await self.source.log(key, trial, place, LOG_BYTES)
        return LogText(
            text=piece.content.decode("utf-8", "replace"),
            place=piece.place,
            is_tail=piece.is_tail,
            more=piece.more,
        )

    async def importance(self, key: ExperimentKey) -> Importance:
        """Return how much each parameter matters; computed again when a trial has ended."""
        summary = self.summary(await self.source.experiment(key))
        version = summary.ended, len(summary.rows)
        known = self._importance.get(key)
        if known is None or known[0] != version:
            known = version, await asyncio.to_thread(importance_of, summary)
            self._importance[key] = known
        return known[1]

    async def curves(self, key: ExperimentKey, wish: CurveWish) -> Curves:
        """Return the curves of the best, the running and the named trials, and a band."""
        stored = await self.source.experiment(key)
        summary = self.summary(stored)
        bold = self._bold(summary, wish)
        others = [row for row in summary.rows if row.name not in bold and row.state in COUNTED]
        step = max(1, -(-len(others) // _MOST_IN_BAND))
        drawn = [
            await self._curve(key, row, wish.metric, wish.buckets, wish.window)
            for row in summary.rows
            if row.name in bold
        ]
        behind = [
            await self._curve(key, row, wish.metric, _BAND_BUCKETS, None) for row in others[::step]
        ]
        band = await asyncio.to_thread(band_of, behind)
        return Curves(metric=wish.metric, curves=tuple(drawn), band=band)

    async def trial_curves(
        self, key: ExperimentKey, trial: str, buckets: int, window: tuple[int, int] | None
    ) -> list[Curve]:
        """Return the curves of all metrics of a trial, the objective's first."""
        stored = await self.source.experiment(key)
        row = _row(self.summary(stored), trial)
        points = await self.source.stored_points(key, row.name)
        objective = stored.experiment.spec.objective
        first = objective.metrics if objective else ()
        names = [*(name for name in first if name in points.by_metric)]
        names += sorted(name for name in points.by_metric if name not in first)
        return [reduced(trial, name, points.by_metric[name], buckets, window) for name in names]

    def summary(self, stored: StoredExperiment) -> ExperimentSummary:
        """Return the summary of an experiment at this moment."""
        return summary_of(stored.experiment, stored.trials, stored.latest, self._now(), stored.run)

    def _bold(self, summary: ExperimentSummary, wish: CurveWish) -> set[str]:
        best = best_first(summary.rows, summary.objective)[: wish.top]
        running = [row for row in summary.rows if row.state is TrialState.RUNNING]
        return {row.name for row in (*best, *running)} | set(wish.trials)

    async def _curve(
        self,
        key: ExperimentKey,
        row: TrialRow,
        metric: str,
        buckets: int,
        window: tuple[int, int] | None,
    ) -> Curve:
        which = key, row.name, row.seconds, metric, buckets, window
        known = self._curves.get(which) if row.state.ended else None
        if known is None:
            points = await self.source.stored_points(key, row.name)
            seen: Sequence[Point] = points.by_metric.get(metric, ())
            known = reduced(row.name, metric, seen, buckets, window)
            if row.state.ended:
                self._curves[which] = known
        return known


def created_of(stored: StoredExperiment) -> str:
    """Return when an experiment was created, as RFC 3339; "" if unknown."""
    return text_at(stored.document, "metadata", "creationTimestamp") or (
        stored.experiment.status.start_time or ""
    )


def running_trials(stored: StoredExperiment) -> list[str]:
    """Return the names of the trials whose points may still come."""
    interrupted = stored.run.interrupted
    return [one.metadata.name for one in stored.trials if not interrupted and not has_ended(one)]


def _named(stored: StoredExperiment, trial: str) -> Trial:
    found = next((one for one in stored.trials if one.metadata.name == trial), None)
    if found is None:
        name = stored.experiment.metadata.name
        raise NotFound(f"there is no trial {trial} in experiment {name}")
    return found


def _row(summary: ExperimentSummary, trial: str) -> TrialRow:
    found = next((row for row in summary.rows if row.name == trial), None)
    if found is None:
        raise NotFound(f"there is no trial {trial} in experiment {summary.name}")
    return found
