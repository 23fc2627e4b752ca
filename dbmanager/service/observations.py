"""The service `trialwatch.v1.Observations`: summaries, pages and new rows of a trial."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from itertools import islice

from api.errors import UserError
from api.trialwatchv1 import observations_pb2 as pb
from api.trialwatchv1 import observations_pb2_grpc
from dbmanager.service.connection import Connection
from dbmanager.service.page_tokens import PageTokens
from dbmanager.service.replies import REPLY_BYTES, log_of, pieces, summary_of
from dbmanager.service.requests import read_bounds, read_metadata, read_trial_name
from dbmanager.service.row_notifier import RowNotifier
from dbmanager.service.servicer import Context, closing, read_trial
from dbmanager.service.trial_feeds import SentRows, TrialFeeds
from dbmanager.store.contract import NO_STEP, Place, Query, Row, Store, TrialKey
from serving.fair_budget import FairBudget

PAGE, LARGEST_PAGE = 5_000, 50_000
"""Points of a page: the default, and the most."""
PIECE = 2 * 1024 * 1024
"""Bytes of a page or of a reply to a watcher: half of the default limit of gRPC clients."""


class Observations(observations_pb2_grpc.ObservationsServicer):
    """`trialwatch.v1.Observations` over a store."""

    def __init__(
        self,
        connection: Connection,
        notifier: RowNotifier,
        *,
        poll: float = 1.0,
        replies: FairBudget | None = None,
    ) -> None:
        """`replies`: the bytes that replies under way share."""
        self._connection = connection
        self._feeds = TrialFeeds(connection, notifier, poll=poll)
        self._replies = replies or FairBudget(REPLY_BYTES)

    async def Summary(  # noqa: N802 - the wire's name
        self, request: pb.SummaryRequest, context: Context
    ) -> pb.SummaryReply:
        """Summarize the metrics of a trial."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        metrics = read_bounds(request.metric_names).metrics
        store = self._connection.store
        await self._replies.take_until_reply(2 * PIECE)
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
        after = _place(tokens.read(request.page_token, 3, 2))
        store, size = self._connection.store, _page_size(request.page_size)

        async def read(key: TrialKey) -> tuple[Sequence[Row], bool]:
            query = Query(
                key=key,
                metrics=bounds.metrics,
                from_micros=bounds.from_micros,
                to_micros=bounds.to_micros,
                after=after,
                limit=size + 1,
            )
            return await _page(store, query, size)

        await self._replies.take_until_reply(PIECE)
        page, more = await read_trial(
            store, trial, metadata, read, is_empty=lambda page_and_more: not page_and_more[0]
        )
        token = tokens.write(*page[-1].place) if more else ""
        return pb.ReadReply(observation_log=log_of(page), next_page_token=token)

    async def Watch(  # noqa: N802 - the wire's name
        self, request: pb.WatchRequest, context: Context
    ) -> AsyncIterator[pb.WatchReply]:
        """Send the stored rows, then new rows as they are stored, until the caller cancels."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        metrics = read_bounds(request.metric_names).metrics
        tokens = PageTokens(field="after_token", request_fields=(trial, *sorted(metrics)))
        sent = SentRows((tokens.read(request.after_token, 1) or (0,))[0])
        async with aclosing(self._feeds.unsent_rows(trial, metadata.namespace, sent)) as feed:
            async for rows in feed:
                matching = [row for row in rows if not metrics or row.metric in metrics]
                for piece in pieces(matching, PIECE):
                    sent.add(piece)
                    token = tokens.write(sent.last_id)
                    yield pb.WatchReply(metric_logs=log_of(piece).metric_logs, resume_token=token)
                sent.add(rows)


def _place(position: tuple[int, ...] | None) -> Place | None:
    """Return the place of a token's position; a manager before the steps wrote time and id."""
    if position is None:
        return None
    micros, *steps, row_id = position
    return micros, steps[0] if steps else NO_STEP, row_id


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
