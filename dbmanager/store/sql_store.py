"""What the stores over a database have in common: all reads, and what a driver's error means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Executable, text

from dbmanager.store import sql_reads
from dbmanager.store.contract import Outcome, Query, Row, Summary, TrialKey
from dbmanager.store.visible_sources import chosen

PAGE, FIRST_PAGE = 5_000, 1_000
"""Rows that a read holds at a time, and at first, while it knows nothing of their size."""
LATELY = 5_000
"""Up to so many rows behind an id are looked at, whosever they are, to find a trial's."""
IDS = 50_000
"""Of a trial, that are held at a time."""
PAGE_BYTES = 4 * 1024 * 1024
"""What they may weigh, about."""


class SqlStore(ABC):
    """The half of a `Store` that only reads."""

    def __init__(self, name: str) -> None:
        """Take the name by which messages call the database."""
        self._name = name

    @abstractmethod
    def number(self, value: ColumnElement[str]) -> ColumnElement[float]:
        """Make the expression that is a value's number, or NULL where it is no finite one."""

    async def ping(self) -> None:
        """Return where the database answers."""
        await self._all(text("SELECT 1"))

    async def namespaces(self, trial: str) -> frozenset[str]:
        """Return under which namespaces a trial name is stored."""
        return frozenset(row[0] for row in await self._all(sql_reads.namespaces(trial)))

    async def read(self, query: Query) -> AsyncIterator[list[Row]]:
        """Give the rows a page at a time; no connection is held between two pages."""
        wanted = await self._wanted(query.key)
        after, left, size = query.after, query.limit, FIRST_PAGE
        while wanted and (left is None or left > 0):
            size = size if left is None else min(size, left)
            rows = await self._rows(sql_reads.page(query, wanted, after, size))
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = rows[-1].micros, rows[-1].id
            left = None if left is None else left - len(rows)
            size = _next_size(rows)

    async def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        """Give the rows behind an id, a page at a time."""
        size = FIRST_PAGE
        while True:
            [[last]] = await self._all(sql_reads.last_id())
            if last is None or last <= after_id:
                return
            if last - after_id > LATELY:
                ids = [row[0] for row in await self._all(sql_reads.ids_behind(key, after_id, IDS))]
                if not ids:
                    return
                async for rows in self._of_ids(ids):
                    yield rows
                after_id = ids[-1]
                continue
            rows = await self._rows(sql_reads.stored_lately(key, after_id, size))
            if rows:
                yield rows
            if len(rows) < size:
                return
            after_id, size = rows[-1].id, _next_size(rows)

    async def _of_ids(self, ids: Sequence[int]) -> AsyncIterator[list[Row]]:
        start, size = 0, FIRST_PAGE
        while start < len(ids):
            rows = await self._rows(sql_reads.with_ids(ids[start : start + size]))
            start += size
            if rows:  # else they were deleted just now
                yield rows
                size = _next_size(rows)

    async def summary(self, key: TrialKey, metrics: Sequence[str] = ()) -> list[Summary]:
        """Return a summary of each metric that has rows, by name."""
        wanted = await self._wanted(key)
        found = await self._all(sql_reads.summaries(key, wanted, sorted(set(metrics)), self.number))
        names = tuple(Summary.__dataclass_fields__)
        summaries = [Summary(**dict(zip(names, row, strict=True))) for row in found]
        return sorted(summaries, key=lambda summary: summary.metric)

    def unsourced(self, key: TrialKey) -> ColumnElement[bool]:
        """Make the expression that says whether a trial has rows without a source."""
        return sql_reads.unsourced(key)

    async def _wanted(self, key: TrialKey) -> frozenset[str]:
        """Return the sources whose rows are given."""
        found = await self._all(sql_reads.outcomes(key, self.unsourced(key)))
        outcomes = {source: Outcome(outcome) if outcome else None for source, outcome, _ in found}
        # Who has no source at all can only have rows without one.
        return chosen(outcomes, unsourced=not found or bool(found[0][2]))

    async def _rows(self, statement: Executable) -> list[Row]:
        return [Row(*row) for row in await self._all(statement)]

    @abstractmethod
    async def _all(self, statement: Executable) -> Sequence[Sequence[Any]]:
        """Ask, in a transaction of its own.

        Raises:
            Unavailable: the database cannot be reached.
        """


def _next_size(rows: Sequence[Row]) -> int:
    """Return how many rows to ask for after these, so that long values do not fill the memory."""
    weight = sum(len(row.metric) + len(row.value) for row in rows) // len(rows) + 100
    return max(1, min(PAGE, PAGE_BYTES // weight))
