"""Reads the new rows of watched trials: once for each trial, however many watch it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Final

from api.errors import Unavailable
from dbmanager.service.connection import Connection
from dbmanager.service.row_notifier import RowNotifier
from dbmanager.store.contract import Row, Store, TrialKey, resolve
from serving.fair_budget import FairBudget

_PAGES: Final = 4
"""Pages of rows that all watchers together hold at a time; a page has up to 4 MiB."""
_MOST_BEHIND: Final = 1024 * 1024
"""Bytes that wait for one watcher, about. A watcher that is further behind reads by itself."""
_ROW_BYTES: Final = 100
"""Of a row without its texts."""
_REMEMBERED_IDS: Final = 2_000


class SentRows:
    """The rows that a watcher already has: a store may yield a row twice, but omits none."""

    def __init__(self, last_id: int) -> None:
        self.last_id = last_id
        self._recent: dict[int, None] = {}

    def missing_from(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that were not sent yet."""
        return [row for row in rows if row.id not in self._recent]

    def add(self, rows: Sequence[Row]) -> None:
        """Remember rows as sent."""
        for row in rows:
            self._recent[row.id] = None
            self.last_id = max(self.last_id, row.id)
        if len(self._recent) > 2 * _REMEMBERED_IDS:
            self._recent = dict.fromkeys(list(self._recent)[-_REMEMBERED_IDS:])


class Follower:
    """One watcher of a feed: the rows that it has not taken yet."""

    def __init__(self) -> None:
        self._rows: deque[Sequence[Row]] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._behind = False
        self._error: Exception | None = None

    async def next(self) -> Sequence[Row] | None:
        """Return the next rows; None if the watcher has missed some and must read by itself.

        Raises:
            Exception: what the feed's reads have raised.
        """
        while not (self._rows or self._behind or self._error):
            self._changed.clear()
            await self._changed.wait()
        if self._behind:
            self._behind = False
            return None
        if self._rows:
            rows = self._rows.popleft()
            self._bytes -= _size_of(rows)
            return rows
        raise self._error or RuntimeError("a follower woke up without a cause")

    def offer(self, rows: Sequence[Row], size: int) -> None:
        """Add rows, unless too many wait."""
        if self._bytes + size > _MOST_BEHIND:
            self._rows.clear()
            self._bytes, self._behind = 0, True
        elif not self._behind:
            self._rows.append(rows)
            self._bytes += size
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """End with an error, after the rows that wait."""
        self._error = error
        self._changed.set()


class TrialFeeds:
    """The feeds of all watched trials; a feed lives while somebody follows it."""

    def __init__(self, connection: Connection, notifier: RowNotifier, *, poll: float) -> None:
        """`poll`: every so many seconds, rows of other programs are looked for."""
        self._connection, self._notifier, self._poll = connection, notifier, poll
        self._feeds: dict[tuple[str, str | None], _Feed] = {}
        self.pages = FairBudget(_PAGES)
        """Who reads a page takes 1, and gives it back when the page is sent."""

    @contextmanager
    def followed(self, trial: str, namespace: str | None, last_id: int) -> Iterator[Follower]:
        """Yield a follower of a trial; rows up to `last_id` need not reach it.

        It misses rows that were stored before: read them once more within the block.
        """
        which = trial, namespace
        feed = self._feeds.get(which)
        if feed is None:
            feed = self._feeds[which] = _Feed()
            feed.task = asyncio.create_task(self._run(which, feed, SentRows(last_id)))
        follower = Follower()
        feed.followers.add(follower)
        try:
            yield follower
        finally:
            feed.followers.discard(follower)
            if not feed.followers and feed.task is not None:
                feed.task.cancel()
                self._forget(which, feed)

    async def unsent_rows(
        self, trial: str, namespace: str | None, sent: SentRows
    ) -> AsyncGenerator[Sequence[Row]]:
        """Yield the rows of a trial, stored and new, for ever; the caller adds them to `sent`."""
        async with aclosing(self._stored(trial, namespace, sent)) as stored:
            async for rows in stored:
                yield rows
        with self.followed(trial, namespace, sent.last_id) as follower:
            news: Sequence[Row] | None = None
            while True:
                if news is not None:
                    yield sent.missing_from(news)
                else:
                    async with aclosing(self._stored(trial, namespace, sent)) as stored:
                        async for rows in stored:
                            yield rows
                news = await follower.next()

    async def _stored(
        self, trial: str, namespace: str | None, sent: SentRows
    ) -> AsyncGenerator[Sequence[Row]]:
        async with aclosing(self.new_rows(trial, namespace, sent.last_id)) as pages:
            async for rows in pages:
                yield sent.missing_from(rows)

    async def new_rows(
        self, trial: str, namespace: str | None, after_id: int
    ) -> AsyncGenerator[Sequence[Row]]:
        """Yield the stored rows of a trial after an id, a page at a time."""
        store = self._connection.store
        key = await _key_to_watch(store, trial, namespace)
        if key is None:
            return
        stored = store.new_rows(key, after_id)
        while True:
            page = await self.pages.take(1)
            try:
                rows = await anext(stored, None)
                if rows is None:
                    return
                yield rows
            finally:
                self.pages.give(page)

    async def _run(self, which: tuple[str, str | None], feed: _Feed, sent: SentRows) -> None:
        trial, namespace = which
        try:
            with self._notifier.subscribe(trial) as changed:
                while True:
                    changed.clear()  # before the read: rows stored during it cause another read
                    async with aclosing(self.new_rows(trial, namespace, sent.last_id)) as pages:
                        async for rows in pages:
                            new = sent.missing_from(rows)
                            sent.add(new)
                            feed.offer(new)
                    await self._wait(changed)
        except Exception as error:  # noqa: BLE001 - each watcher's call ends with it
            for follower in feed.followers:
                follower.fail(error)
        finally:
            self._forget(which, feed)

    async def _wait(self, changed: asyncio.Event) -> None:
        try:
            if not self._notifier.ending:
                async with asyncio.timeout(self._poll):
                    await changed.wait()
        except TimeoutError:
            return  # read again: another program may have written to the database
        if self._notifier.ending:
            raise Unavailable("the DB manager is ending: watch again from the last resume_token")

    def _forget(self, which: tuple[str, str | None], feed: _Feed) -> None:
        if self._feeds.get(which) is feed:
            del self._feeds[which]


class _Feed:
    """The reader of one trial, and its followers."""

    def __init__(self) -> None:
        self.followers: set[Follower] = set()
        self.task: asyncio.Task[None] | None = None

    def offer(self, rows: Sequence[Row]) -> None:
        size = _size_of(rows)
        for follower in self.followers:
            follower.offer(rows, size)


def _size_of(rows: Sequence[Row]) -> int:
    return sum(_ROW_BYTES + len(row.metric) + len(row.value) for row in rows)


async def _key_to_watch(store: Store, trial: str, namespace: str | None) -> TrialKey | None:
    """Return the trial; None if the caller gave no namespace and no namespace has the trial yet."""
    stored = await store.namespaces(trial)
    if not stored and namespace is None:
        return None
    return resolve(trial, namespace, stored)
