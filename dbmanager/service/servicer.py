"""Katib's service: decode, call the store, encode. Errors become codes in `serving`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import grpc.aio

from api.errors import UserError
from api.v1beta1 import api_pb2 as pb
from api.v1beta1 import api_pb2_grpc
from dbmanager.service.connection import Connection
from dbmanager.service.decoding import read_pieces
from dbmanager.service.malloc_trim import trim_after
from dbmanager.service.metrics import Metrics
from dbmanager.service.replies import REPLY_BYTES, SMALL_REPLY, LogReply, ReplyTooLarge
from dbmanager.service.requests import CallMetadata, read_bounds, read_metadata, read_trial_name
from dbmanager.service.row_notifier import RowNotifier
from dbmanager.store.columns import Columns
from dbmanager.store.contract import DiskFull, Query, Row, Store, TrialKey, resolve
from serving.fair_budget import FairBudget
from serving.logs import get_logger

_log = get_logger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]

T = TypeVar("T")


async def key_of(store: Store, trial: str, metadata: CallMetadata) -> TrialKey:
    """Return the trial of a read or a delete.

    Raises:
        AmbiguousTrial: the name is in several namespaces, and the caller gave none.
    """
    return resolve(trial, metadata.namespace, await store.namespaces(trial))


async def read_trial(
    store: Store,
    trial: str,
    metadata: CallMetadata,
    read: Callable[[TrialKey], Awaitable[T]],
    *,
    is_empty: Callable[[T], bool],
) -> T:
    """Read a trial; look up its namespaces only if the given namespace has nothing.

    Raises:
        AmbiguousTrial: the name is in several namespaces, and the caller gave none.
    """
    if metadata.namespace is not None:
        result = await read(TrialKey(namespace=metadata.namespace, trial=trial))
        if not is_empty(result):
            return result
    return await read(await key_of(store, trial, metadata))


@asynccontextmanager
async def closing(chunks: AsyncIterator[list[Row]]) -> AsyncIterator[AsyncIterator[list[Row]]]:
    """Close a read as soon as its reader stops, not when the garbage collector runs."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


class DBManager(api_pb2_grpc.DBManagerServicer):
    """`api.v1.beta1.DBManager` over a store."""

    def __init__(
        self,
        connection: Connection,
        notifier: RowNotifier,
        metrics: Metrics,
        *,
        max_reply: int,
        replies: FairBudget | None = None,
    ) -> None:
        """`replies`: the bytes that replies under way share."""
        self._connection, self._notifier, self._metrics = connection, notifier, metrics
        self._max_reply = max_reply
        self._replies = replies or FairBudget(REPLY_BYTES)

    async def ReportObservationLog(  # noqa: N802 - the wire's name
        self, request: pb.ReportObservationLogRequest, context: Context
    ) -> pb.ReportObservationLogReply:
        """Store the points of a report; a repeat succeeds and changes nothing."""
        try:
            await self._report(request, read_metadata(context.invocation_metadata() or ()))
        finally:
            trim_after(len(request.observation_log.metric_logs))
        return pb.ReportObservationLogReply()

    async def _report(
        self, request: pb.ReportObservationLogRequest, metadata: CallMetadata
    ) -> None:
        trial = read_trial_name(request.trial_name)
        rows = await _rows_of(request, skip_timeless=not metadata.is_given)
        self._note_skipped(trial, len(request.observation_log.metric_logs) - len(rows))
        store = self._connection.store
        if rows or metadata.delivery:
            key = await _key_to_report(store, trial, metadata)
            try:
                receipt = await store.report(key, rows, metadata.delivery)
            except DiskFull as error:
                self._connection.note_room(str(error))
                raise
            self._connection.note_room()
            self._metrics.reported(receipt)
            if receipt.gap:
                _log.warning(
                    "reports before this one never arrived",
                    trial=trial,
                    namespace=key.namespace,
                    source=metadata.delivery.source if metadata.delivery else "",
                    missing=receipt.gap,
                )
            self._notifier.notify(trial)

    def _note_skipped(self, trial: str, count: int) -> None:
        if count:
            self._metrics.skipped(count)
            _log.warning("skipped points without a time stamp", trial=trial, points=count)

    async def GetObservationLog(  # noqa: N802 - the wire's name
        self, request: pb.GetObservationLogRequest, context: Context
    ) -> pb.GetObservationLogReply:
        """Return the points of a trial in the order of time, if they fit into one reply."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        bounds = read_bounds((request.metric_name,), request.start_time, request.end_time)
        store = self._connection.store

        async def read(key: TrialKey, most: int) -> pb.ObservationLog:
            query = Query(
                key=key,
                metrics=bounds.metrics,
                from_micros=bounds.from_micros,
                to_micros=bounds.to_micros,
            )
            reply = LogReply(trial, most)
            try:
                async with closing(store.read(query)) as chunks:
                    async for rows in chunks:
                        reply.add(rows)
            finally:
                trim_after(len(reply.log.metric_logs))
            return reply.log

        async def log_of_at_most(most: int) -> pb.ObservationLog:
            return await read_trial(
                store,
                trial,
                metadata,
                lambda key: read(key, most),
                is_empty=lambda log: not log.metric_logs,
            )

        most = min(metadata.max_reply or self._max_reply, max(self._max_reply, REPLY_BYTES))
        log = await self._within_budget(log_of_at_most, most)
        return pb.GetObservationLogReply(observation_log=log)

    async def _within_budget(
        self, read: Callable[[int], Awaitable[pb.ObservationLog]], most: int
    ) -> pb.ObservationLog:
        """Read a log of at most so many bytes: first as a small one, and few are large."""
        small = min(most, SMALL_REPLY)
        release = await self._replies.take_until_reply(small)
        try:
            return await read(small)
        except ReplyTooLarge:
            if most == small:
                raise
        release()  # before it takes more: else several calls could wait for each other
        await self._replies.take_until_reply(most)
        return await read(most)

    async def DeleteObservationLog(  # noqa: N802 - the wire's name
        self, request: pb.DeleteObservationLogRequest, context: Context
    ) -> pb.DeleteObservationLogReply:
        """Remove the points of a trial; removing nothing is a success."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        store = self._connection.store
        await store.delete(await key_of(store, trial, metadata))
        self._notifier.notify(trial)
        return pb.DeleteObservationLogReply()


async def _rows_of(request: pb.ReportObservationLogRequest, *, skip_timeless: bool) -> Columns:
    """Read the points; between the pieces of a large report, other calls run."""
    if not request.HasField("observation_log"):
        raise UserError("observation_log: missing; send one, even if it has no points")
    rows = Columns()
    for piece in read_pieces(request.observation_log, skip_timeless=skip_timeless):
        if rows:
            await asyncio.sleep(0)
        rows.extend(piece)
    return rows


async def _key_to_report(store: Store, trial: str, metadata: CallMetadata) -> TrialKey:
    """Return the trial of a report; with a namespace given, no query is needed."""
    stored = frozenset[str]()
    if metadata.namespace is None:
        stored = await store.namespaces(trial)
    return resolve(trial, metadata.namespace, stored, to_report=True)
