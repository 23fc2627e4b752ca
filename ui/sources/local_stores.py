"""The SQLite stores of the experiments on this machine, opened when a page needs one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Final, NamedTuple

from api.errors import Unavailable
from dbmanager.connect import store_for
from dbmanager.service.connection import Connection
from dbmanager.service.page_tokens import PageTokens
from dbmanager.service.row_notifier import RowNotifier
from dbmanager.service.trial_feeds import SentRows, TrialFeeds
from dbmanager.store.contract import Query, Store, TrialKey
from runner.state.directory import StateDirectory
from ui.model.curves import Point
from ui.sources.port import NewPoint, PointBatch, StoredPoints

_MOST_OPEN: Final = 8
_POLL: Final = 0.1
"""Seconds between two looks for new rows: the run writes them in another process."""


class _Open(NamedTuple):
    connection: Connection
    feeds: TrialFeeds
    file: tuple[int, int]


class LocalStores:
    """Open stores by their file; the one used longest ago is closed first."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, _Open] = OrderedDict()
        self._opening = asyncio.Lock()

    async def stored(self, state: StateDirectory, namespace: str, trial: str) -> StoredPoints:
        """Return all points of a trial.

        Raises:
            Unavailable: the store cannot be opened or read.
        """
        store = (await self._opened(state)).connection.store
        by_metric: defaultdict[str, list[Point]] = defaultdict(list)
        last = 0
        async for rows in store.read(Query(key=_key(namespace, trial))):
            for row in rows:
                by_metric[row.metric].append(Point(row.micros, row.value, row.step))
                last = max(last, row.id)
        return StoredPoints(by_metric=by_metric, token=_tokens(namespace, trial).write(last))

    async def follow(
        self, state: StateDirectory, namespace: str, trial: str, after: str
    ) -> AsyncGenerator[PointBatch]:
        """Yield the points behind a token, then new ones, for ever.

        Raises:
            UserError: the token is not of this trial.
            Unavailable: the store cannot be opened or read.
        """
        tokens = _tokens(namespace, trial)
        sent = SentRows((tokens.read(after, 1) or (0,))[0])
        feeds = (await self._opened(state)).feeds
        async with aclosing(feeds.unsent_rows(trial, namespace, sent)) as feed:
            async for rows in feed:
                sent.add(rows)
                points = tuple(
                    NewPoint(row.metric, row.micros, row.value, row.step) for row in rows
                )
                if points:
                    yield PointBatch(points=points, token=tokens.write(sent.last_id))

    async def latest(self, state: StateDirectory, namespace: str, trial: str) -> Mapping[str, str]:
        """Return the newest value of each metric of a trial."""
        store = (await self._opened(state)).connection.store
        return {one.metric: one.last for one in await store.summary(_key(namespace, trial))}

    async def close(self) -> None:
        """Close all stores."""
        while self._open:
            _, opened = self._open.popitem()
            await _store_of(opened).close()

    async def _opened(self, state: StateDirectory) -> _Open:
        async with self._opening:
            file, opened = _file_at(state.database), self._open.pop(state.database, None)
            if opened is not None and opened.file != file:
                await _store_of(opened).close()
                opened = None
            self._open[state.database] = opened = opened or await _open(state.database, file)
            while len(self._open) > _MOST_OPEN:
                _, oldest = self._open.popitem(last=False)
                await _store_of(oldest).close()
            return opened


async def _open(path: Path, file: tuple[int, int]) -> _Open:
    connection = Connection(store_for(f"sqlite:///{path}"))
    try:
        async with asyncio.timeout(5):
            await connection.open()
    except TimeoutError:
        raise Unavailable(f"the metrics in {path} cannot be read ({connection.cause})") from None
    return _Open(connection, TrialFeeds(connection, RowNotifier(), poll=_POLL), file)


def _file_at(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        raise Unavailable(
            f"{path} is missing: the run has not begun, or its metrics are in another database"
            " (--database), which the pages cannot read yet"
        ) from None
    return found.st_dev, found.st_ino


def _store_of(opened: _Open) -> Store:
    return opened.connection.store


def _key(namespace: str, trial: str) -> TrialKey:
    return TrialKey(namespace=namespace, trial=trial)


def _tokens(namespace: str, trial: str) -> PageTokens:
    return PageTokens(field="Last-Event-ID", request_fields=(namespace, trial))
