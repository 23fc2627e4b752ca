"""The service `trialwatch.v1.Observations`: summaries, pages and new rows of a trial."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import islice

from api.errors import Unavailable, UserError
from api.trialwatchv1 import observations_pb2 as pb
from api.trialwatchv1 import observations_pb2_grpc
from dbmanager.service.connection import Connection
from dbmanager.service.page_tokens import PageTokens
from dbmanager.service.replies import log_of, pieces, summary_of
from dbmanager.service.requests import CallMetadata, read_bounds, read_metadata, read_trial_name
from dbmanager.service.row_notifier import RowNotifier
from dbmanager.service.servicer import Context, closing, read_trial
from dbmanager.store.contract import Query, Row, Store, TrialKey, resolve

PAGE, LARGEST_PAGE = 5_000, 50_000
"""Points of a page: the default, and the most."""
PIECE = 2 * 1024 * 1024
"""Bytes of a page or of a reply to a watcher: half of the default limit of gRPC clients."""
_REMEMBERED_IDS = 20_000


class Observations(observations_pb2_grpc.ObservationsServicer):
    """`trialwatch.v1.Observations` over a store."""

    def __init__(self, connection: Connection, notifier: RowNotifier, *, poll: float = 1.0) -> None:
        self._connection, self._notifier, self._poll = connection, notifier, poll

    async def Summary(  # noqa: N802 - the wire's name
        self, request: pb.SummaryRequest, context: Context
    ) -> pb.SummaryReply:
        """Summarize the metrics of a trial."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        metrics = read_bounds(request.metric_names).metrics
        store = self._connection.store
        summaries = await read_trial(
            store,
            trial,
            metadata,
            lambda key: store.summary(key, metrics),
            is_empty=lambda summaries: not summaries,
        )
        order = {name: index for index, name in enumerate(metrics)}
        summaries.sort(key=lambda summary: (order.get(summary.metric, 0), summary.metric))
        return pb.SummaryReply(metrics=[summary_of(summary) for summary in summaries])

    async def Read(  # noqa: N802 - the wire's name
        self, request: pb.ReadRequest, context: Context
    ) -> pb.ReadReply:
        """Return one page."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        bounds = read_bounds((request.metric_name,), request.start_time, request.end_time)
        request_fields = (trial, *bounds.metrics, bounds.from_micros, bounds.to_micros)
        tokens = PageTokens(field="page_token", request_fields=request_fields)
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

        page, more = await read_trial(
            store, trial, metadata, read, is_empty=lambda page_and_more: not page_and_more[0]
        )
        token = tokens.write(page[-1].micros, page[-1].id) if more else ""
        return pb.ReadReply(observation_log=log_of(page), next_page_token=token)

    async def Watch(  # noqa: N802 - the wire's name
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchReply]:
        """Send the stored rows, then new rows as they are stored, until the caller cancels."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        metrics = read_bounds(request.metric_names).metrics
        tokens = PageTokens(field="after_token", request_fields=(trial, *sorted(metrics)))
        sent = _SentRows(tokens.read(request.after_token, 1))
        with self._notifier.subscribe(trial) as changed:
            while True:
                changed.clear()  # before the read: rows stored during the read cause another read
                async for rows in self._new_rows(trial, metadata, sent.last_id):
                    unsent = sent.missing_from(rows)
                    matching = [row for row in unsent if not metrics or row.metric in metrics]
                    for piece in pieces(matching, PIECE):
                        sent.add(piece)
                        token = tokens.write(sent.last_id)
                        yield pb.WatchReply(
                            metric_logs=log_of(piece).metric_logs, resume_token=token
                        )
                    sent.add(unsent)
                await self._wait(changed)

    async def _new_rows(
        self, trial: str, metadata: CallMetadata, after_id: int
    ) -> AsyncIterator[Sequence[Row]]:
        store = self._connection.store
        key = await _key_to_watch(store, trial, metadata)
        if key is not None:
            async for rows in store.new_rows(key, after_id):
                yield rows

    async def _wait(self, changed: asyncio.Event) -> None:
        try:
            if not self._notifier.ending:
                async with asyncio.timeout(self._poll):
                    await changed.wait()
        except TimeoutError:
            return  # read again: another program may have written to the database
        if self._notifier.ending:
            raise Unavailable("the DB manager is ending: watch again from the last resume_token")


class _SentRows:
    """The rows that a watcher already has: a store may yield a row twice, but omits none."""

    def __init__(self, position: tuple[int, ...] | None) -> None:
        self.last_id = position[0] if position else 0
        self._recent: dict[int, None] = {}

    def missing_from(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that were not sent yet."""
        return [row for row in rows if row.id not in self._recent]

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._recent[row.id] = None
            self.last_id = max(self.last_id, row.id)
        if len(self._recent) > 2 * _REMEMBERED_IDS:
            self._recent = dict.fromkeys(list(self._recent)[-_REMEMBERED_IDS:])


async def _key_to_watch(store: Store, trial: str, metadata: CallMetadata) -> TrialKey | None:
    """Return the trial; None if the caller gave no namespace and no namespace has the trial yet."""
    stored = await store.namespaces(trial)
    if not stored and metadata.namespace is None:
        return None
    return resolve(trial, metadata.namespace, stored)


async def _page(store: Store, query: Query, size: int) -> tuple[Sequence[Row], bool]:
    """Return the rows of a page, and whether there are more; stop reading at the page's end."""
    rows: list[Row] = []
    async with closing(store.read(query)) as chunks:
        async for chunk in chunks:
            rows += chunk
            cut = list(islice(pieces(rows, PIECE), 2))
            if len(cut) > 1:
                return cut[0][:size], True
    return rows[:size], len(rows) > size


def _page_size(requested: int) -> int:
    if requested < 0:
        raise UserError(f"page_size: {requested} is negative; send 0 for the server's default")
    return min(requested or PAGE, LARGEST_PAGE)
