"""Our own service: what one wants to know of a trial and cannot ask in Katib's words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import islice

from api.errors import Unavailable, UserError
from api.trialwatchv1 import observations_pb2 as pb
from api.trialwatchv1 import observations_pb2_grpc
from dbmanager.service.connection import Connection
from dbmanager.service.page_tokens import Tokens
from dbmanager.service.replies import log_of, pieces, summary_of
from dbmanager.service.requests import CallMetadata, read_bounds, read_metadata, read_trial_name
from dbmanager.service.row_notifier import News
from dbmanager.service.servicer import Context, ended, found_in
from dbmanager.store.contract import Query, Row, Store, TrialKey, resolve

PAGE, LARGEST_PAGE = 5_000, 50_000
"""Points of a page, where the caller does not say how many, and at most."""
PIECE = 2 * 1024 * 1024
"""Bytes of a page or of a watcher's reply: half of what a client takes by itself."""
_REMEMBERED = 20_000


class Observations(observations_pb2_grpc.ObservationsServicer):
    """`trialwatch.v1.Observations` over a store."""

    def __init__(self, connection: Connection, news: News, *, poll: float = 1.0) -> None:
        self._connection, self._news, self._poll = connection, news, poll

    async def Summary(  # noqa: N802 - the wire's name
        self, request: pb.SummaryRequest, context: Context
    ) -> pb.SummaryReply:
        """Summarize the metrics of a trial."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        wanted = read_bounds(request.metric_names).metrics
        store = self._connection.store
        found = await found_in(
            store,
            trial,
            metadata,
            lambda key: store.summary(key, wanted),
            is_empty=lambda found: not found,
        )
        place = {name: index for index, name in enumerate(wanted)}
        found.sort(key=lambda summary: (place.get(summary.metric, 0), summary.metric))
        return pb.SummaryReply(metrics=[summary_of(summary) for summary in found])

    async def Read(  # noqa: N802 - the wire's name
        self, request: pb.ReadRequest, context: Context
    ) -> pb.ReadReply:
        """Return one page."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        bounds = read_bounds((request.metric_name,), request.start_time, request.end_time)
        question = (trial, *bounds.metrics, bounds.from_micros, bounds.to_micros)
        tokens = Tokens(field="page_token", question=question)
        after = tokens.read(request.page_token, 2)
        store, size = self._connection.store, _page_size(request.page_size)

        async def read(key: TrialKey) -> tuple[Sequence[Row], bool]:
            query = Query(
                key=key,
                metrics=bounds.metrics,
                from_micros=bounds.from_micros,
                to_micros=bounds.to_micros,
                after=(after[0], after[1]) if after else None,
                limit=size + 1,
            )
            return await _page(store, query, size)

        page, more = await found_in(
            store, trial, metadata, read, is_empty=lambda found: not found[0]
        )
        token = tokens.written(page[-1].micros, page[-1].id) if more else ""
        return pb.ReadReply(observation_log=log_of(page), next_page_token=token)

    async def Watch(  # noqa: N802 - the wire's name
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchReply]:
        """Give what is stored, then what comes, until the caller has enough."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        wanted = read_bounds(request.metric_names).metrics
        tokens = Tokens(field="after_token", question=(trial, *sorted(wanted)))
        given = _Given(tokens.read(request.after_token, 1))
        with self._news.of(trial) as woken:
            while True:
                woken.clear()  # before the look, so that what comes during it is looked at again
                async for rows in self._new_rows(trial, metadata, given.last_id):
                    fresh = given.fresh(rows)
                    chosen = [row for row in fresh if not wanted or row.metric in wanted]
                    for piece in pieces(chosen, PIECE):
                        given.note(piece)
                        token = tokens.written(given.last_id)
                        yield pb.WatchReply(
                            metric_logs=log_of(piece).metric_logs, resume_token=token
                        )
                    given.note(fresh)
                await self._wait(woken)

    async def _new_rows(
        self, trial: str, metadata: CallMetadata, after_id: int
    ) -> AsyncIterator[Sequence[Row]]:
        store = self._connection.store
        key = await _watched(store, trial, metadata)
        if key is not None:
            async for rows in store.new_rows(key, after_id):
                yield rows

    async def _wait(self, woken: asyncio.Event) -> None:
        try:
            if not self._news.over:
                async with asyncio.timeout(self._poll):
                    await woken.wait()
        except TimeoutError:
            return  # other programs may write to the same database: look
        if self._news.over:
            raise Unavailable("the DB manager is ending: watch again from the last resume_token")


class _Given:
    """Which rows a watcher has; a store may give one twice rather than pass it over."""

    def __init__(self, position: tuple[int, ...] | None) -> None:
        self.last_id = position[0] if position else 0
        self._recent: dict[int, None] = {}

    def fresh(self, rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if row.id not in self._recent]

    def note(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._recent[row.id] = None
            self.last_id = max(self.last_id, row.id)
        if len(self._recent) > 2 * _REMEMBERED:
            self._recent = dict.fromkeys(list(self._recent)[-_REMEMBERED:])


async def _watched(store: Store, trial: str, metadata: CallMetadata) -> TrialKey | None:
    """Return what to watch; None where no namespace was asked for and none has the trial yet."""
    stored = await store.namespaces(trial)
    if not stored and metadata.namespace is None:
        return None
    return resolve(trial, metadata.namespace, stored)


async def _page(store: Store, query: Query, size: int) -> tuple[Sequence[Row], bool]:
    """Return the rows of a page, and whether there are more; read no further than it takes."""
    rows: list[Row] = []
    async with ended(store.read(query)) as chunks:
        async for chunk in chunks:
            rows += chunk
            cut = list(islice(pieces(rows, PIECE), 2))
            if len(cut) > 1:
                return cut[0][:size], True
    return rows[:size], len(rows) > size


def _page_size(asked: int) -> int:
    if asked < 0:
        raise UserError(f"page_size: {asked} is less than 0; 0 leaves it to the server")
    return min(asked or PAGE, LARGEST_PAGE)
