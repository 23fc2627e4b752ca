"""A store in memory: the simplest implementation of the contract, for tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from operator import itemgetter

from api.errors import Unavailable
from api.names import UNAVAILABLE
from dbmanager.store.contract import (
    AttemptOutcome,
    Delivery,
    NewRow,
    Query,
    Receipt,
    Row,
    Summary,
    TrialKey,
)
from dbmanager.store.finite import number_of
from dbmanager.store.reduced import ReducedPods, reduced_pods, reduced_summary
from dbmanager.store.visible_sources import visible_sources

_CHUNK = 5_000


@dataclass(slots=True)
class _Source:
    last: int = 0
    gaps: int = 0
    outcome: AttemptOutcome | None = None


@dataclass(slots=True)
class _Trial:
    rows: list[tuple[Row, str]] = field(default_factory=list)
    """Each row with its source, in the order in which they were stored."""
    sources: dict[str, _Source] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.sources)

    def visible_rows(self) -> list[Row]:
        """Return the rows of the visible sources, in order."""
        return [row for row, _ in self.visible_rows_and_sources()]

    def visible_rows_and_sources(self) -> list[tuple[Row, str]]:
        """Return the rows of the visible sources, each with its source, in order."""
        visible = self.visible_sources()
        rows = [(row, source) for row, source in self.rows if source in visible]
        return sorted(rows, key=lambda row_and_source: row_and_source[0].place)

    def visible_sources(self) -> frozenset[str]:
        """Return the sources whose rows a read returns."""
        outcomes = {name: source.outcome for name, source in self.sources.items()}
        return visible_sources(outcomes, unsourced=any(not source for _, source in self.rows))


class MemoryStore:
    """A `Store` in memory. No method waits, so each is atomic and no lock is needed."""

    def __init__(self) -> None:
        self._trials: dict[TrialKey, _Trial] = {}
        self._ids = count(1)
        self._open = False

    async def open(self) -> None:
        """Start to answer."""
        self._open = True

    async def close(self) -> None:
        """Stop to answer; the rows stay, and `open` makes them available again."""
        self._open = False

    async def ping(self) -> None:
        """Raise `Unavailable` unless the store is open."""
        if not self._open:
            raise Unavailable("the store in memory is not open: open it first")

    async def namespaces(self, trial: str) -> frozenset[str]:
        """Return the namespaces that have a trial of this name."""
        await self.ping()
        return frozenset(key.namespace for key in self._trials if key.trial == trial)

    async def sources(self, key: TrialKey) -> Mapping[str, int]:
        """Return the last number of each source."""
        await self.ping()
        trial = self._trials.get(key, _Trial())
        return {name: source.last for name, source in trial.sources.items()}

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        """Store rows."""
        await self.ping()
        trial = self._trials.get(key, _Trial())
        receipt = Receipt(stored=len(rows))
        if delivery is not None:
            source = trial.sources.setdefault(delivery.source, _Source())
            if delivery.sequence <= source.last:
                return Receipt(stored=0, repeat=True)
            receipt = replace(receipt, gap=delivery.sequence - source.last - 1)
            source.last = delivery.sequence
            source.gaps += receipt.gap
            source.outcome = delivery.outcome
        name = delivery.source if delivery else ""
        trial.rows += [(Row(next(self._ids), *row), name) for row in rows]
        if trial:
            self._trials[key] = trial
        return receipt

    async def read(self, query: Query) -> AsyncIterator[list[Row]]:
        """Yield the rows in order."""
        await self.ping()
        trial = self._trials.get(query.key, _Trial())
        rows = [row for row in trial.visible_rows() if _matches(row, query)]
        for chunk in _chunks(rows[: query.limit]):
            yield chunk

    async def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        """Yield the rows with an id above `after_id`."""
        await self.ping()
        trial = self._trials.get(key, _Trial())
        for chunk in _chunks([row for row, _ in trial.rows if row.id > after_id]):
            yield chunk

    async def summary(self, key: TrialKey, metrics: Sequence[str] = ()) -> list[Summary]:
        """Return a summary of each metric, by name."""
        await self.ping()
        by_metric: defaultdict[str, list[tuple[Row, str]]] = defaultdict(list)
        trial = self._trials.get(key, _Trial())
        for row, source in trial.visible_rows_and_sources():
            if _has_metric(row, metrics):
                by_metric[row.metric].append((row, source))
        pods = reduced_pods(trial.visible_sources())
        return [_summary_of(by_metric[metric], pods) for metric in sorted(by_metric)]

    async def delete(self, key: TrialKey) -> int:
        """Delete a trial's rows and its sources."""
        await self.ping()
        return len(self._trials.pop(key, _Trial()).rows)


def _chunks(rows: list[Row]) -> Iterator[list[Row]]:
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))


def _has_metric(row: Row, metrics: Collection[str]) -> bool:
    return not metrics or row.metric in metrics


def _matches(row: Row, query: Query) -> bool:
    return (
        _has_metric(row, query.metrics)
        and (query.from_micros is None or row.micros >= query.from_micros)
        and (query.to_micros is None or row.micros <= query.to_micros)
        and (query.after is None or row.place > query.after)
    )


def _summary_of(rows: Sequence[tuple[Row, str]], pods: ReducedPods | None) -> Summary:
    """Summarize the rows of one metric, reduced if its pods are."""
    numbers = [(row, source) for row, source in rows if row.value != UNAVAILABLE]
    if pods is not None and numbers:
        return reduced_summary(numbers, pods)
    return _summary([row for row, _ in rows])


def _summary(rows: Sequence[Row]) -> Summary:
    """Summarize the rows of one metric: at least one row, in order."""
    numbers = [(number, row) for row in rows if (number := number_of(row.value)) is not None]
    # Of equal numbers, `min` and `max` both return the first.
    low = min(numbers, key=itemgetter(0))[1] if numbers else None
    high = max(numbers, key=itemgetter(0))[1] if numbers else None
    return Summary(
        metric=rows[0].metric,
        count=len(rows),
        first=rows[0].value,
        last=rows[-1].value,
        minimum=low.value if low else None,
        maximum=high.value if high else None,
        first_micros=rows[0].micros,
        last_micros=rows[-1].micros,
        first_step=rows[0].step,
        last_step=rows[-1].step,
        minimum_step=low.step if low else None,
        maximum_step=high.step if high else None,
    )
