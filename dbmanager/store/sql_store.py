"""What all SQL stores have in common: the reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Executable, text

from dbmanager.store import sql_reads
from dbmanager.store.contract import AttemptOutcome, Query, Row, Summary, TrialKey
from dbmanager.store.reduced import reduced_pods, reduced_points, summaries_of_points
from dbmanager.store.visible_sources import visible_sources

PAGE, FIRST_PAGE = 5_000, 1_000
"""Rows of one query: at most, and at first, when the size of the rows is unknown."""
LATELY = 5_000
"""Up to so many rows of all trials are read after an id, to find those of one trial."""
IDS = 50_000
"""Ids of a trial that are held in memory at a time."""
PAGE_BYTES = 4 * 1024 * 1024
"""Bytes of one query's rows, about."""


class SqlStore(ABC):
    """The half of a `Store` that only reads."""

    def __init__(self, name: str) -> None:
        """Take the database's name in messages."""
        self._name = name

    @abstractmethod
    def number(self, value: ColumnElement[str]) -> ColumnElement[float]:
        """Return the expression of a value's number; NULL if the value is not a finite number."""

    def step_order(self) -> ColumnElement[int]:
        """Return the expression that orders rows of equal times; a missing step comes first."""
        return sql_reads.row_step

    async def ping(self) -> None:
        """Return if the database answers."""
        await self._fetch_all(text("SELECT 1"))

    async def namespaces(self, trial: str) -> frozenset[str]:
        """Return the namespaces that have a trial of this name."""
        return frozenset(row[0] for row in await self._fetch_all(sql_reads.namespaces(trial)))

    async def sources(self, key: TrialKey) -> Mapping[str, int]:
        """Return the last number of each source."""
        rows = await self._fetch_all(sql_reads.last_numbers(key))
        return {source: int(number) for source, number in rows}

    async def read(self, query: Query) -> AsyncIterator[list[Row]]:
        """Yield the rows a page at a time; no connection is held between two pages."""
        visible = await self._visible_sources(query.key)
        after, left, size = query.after, query.limit, FIRST_PAGE
        order = self.step_order()
        while visible and (left is None or left > 0):
            size = size if left is None else min(size, left)
            rows = await self._rows(sql_reads.page(query, visible, after, size, order))
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = rows[-1].place
            left = None if left is None else left - len(rows)
            size = _next_size(rows)

    async def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        """Yield the rows with ids above `after_id`, a page at a time."""
        size = FIRST_PAGE
        while True:
            [[last]] = await self._fetch_all(sql_reads.last_id())
            if last is None or last <= after_id:
                return
            if last - after_id > LATELY:
                ids = [
                    row[0]
                    for row in await self._fetch_all(sql_reads.ids_behind(key, after_id, IDS))
                ]
                if not ids:
                    return
                async for rows in self._rows_with_ids(ids):
                    yield rows
                after_id = ids[-1]
                continue
            rows = await self._rows(sql_reads.stored_lately(key, after_id, size))
            if rows:
                yield rows
            if len(rows) < size:
                return
            after_id, size = rows[-1].id, _next_size(rows)

    async def _rows_with_ids(self, ids: Sequence[int]) -> AsyncIterator[list[Row]]:
        start, size = 0, FIRST_PAGE
        while start < len(ids):
            rows = await self._rows(sql_reads.with_ids(ids[start : start + size]))
            start += size
            if rows:  # none if they were deleted meanwhile
                yield rows
                size = _next_size(rows)

    async def summary(self, key: TrialKey, metrics: Sequence[str] = ()) -> list[Summary]:
        """Return a summary of each metric that has rows, by name."""
        visible = await self._visible_sources(key)
        pods = reduced_pods(visible)
        if pods is None:
            return await self._summaries(key, visible, metrics)
        is_visible = sql_reads.is_visible(key, visible, sorted(set(metrics)))
        points = await self._fetch_all(reduced_points(is_visible, pods, self.number))
        reduced = {summary.metric: summary for summary in summaries_of_points(points)}
        if not metrics or not reduced.keys() >= set(metrics):  # the others are `unavailable`
            plain = await self._summaries(key, visible, metrics)
            reduced = {summary.metric: summary for summary in plain} | reduced
        return [reduced[metric] for metric in sorted(reduced)]

    async def _summaries(
        self, key: TrialKey, visible: frozenset[str], metrics: Sequence[str]
    ) -> list[Summary]:
        rows = await self._fetch_all(
            sql_reads.summaries(key, visible, sorted(set(metrics)), self.number)
        )
        names = tuple(Summary.__dataclass_fields__)
        summaries = [Summary(**dict(zip(names, row, strict=True))) for row in rows]
        return sorted(summaries, key=lambda summary: summary.metric)

    def unsourced(self, key: TrialKey) -> ColumnElement[bool]:
        """Return the condition that a trial has rows without a source."""
        return sql_reads.unsourced(key)

    async def _visible_sources(self, key: TrialKey) -> frozenset[str]:
        """Return the sources whose rows a read returns."""
        rows = await self._fetch_all(sql_reads.outcomes(key, self.unsourced(key)))
        outcomes = {
            source: AttemptOutcome(outcome) if outcome else None for source, outcome, _ in rows
        }
        # A trial without sources can only have rows without a source.
        return visible_sources(outcomes, unsourced=not rows or bool(rows[0][2]))

    async def _rows(self, statement: Executable) -> list[Row]:
        return [Row(*row) for row in await self._fetch_all(statement)]

    @abstractmethod
    async def _fetch_all(self, statement: Executable) -> Sequence[Sequence[Any]]:
        """Run a query in its own transaction; return its rows.

        Raises:
            Unavailable: the database cannot be reached.
        """


def _next_size(rows: Sequence[Row]) -> int:
    """Return the size of the next page by the length of these rows, to limit the memory."""
    row_size = sum(len(row.metric) + len(row.value) for row in rows) // len(rows) + 100
    return max(1, min(PAGE, PAGE_BYTES // row_size))
