"""Katib's service: decode, ask the store, encode. `serving.grpc` answers errors."""

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
from dbmanager.service.decoding import pieces_of
from dbmanager.service.malloc_trim import trim_after
from dbmanager.service.metrics import Metrics
from dbmanager.service.replies import LogReply
from dbmanager.service.requests import CallMetadata, read_bounds, read_metadata, read_trial_name
from dbmanager.service.row_notifier import News
from dbmanager.store.columns import Columns
from dbmanager.store.contract import Query, Row, Store, TrialKey, resolve

Context = grpc.aio.ServicerContext[Any, Any]

T = TypeVar("T")


async def key_of(store: Store, trial: str, metadata: CallMetadata) -> TrialKey:
    """Return which trial a read or a delete means.

    Raises:
        Ambiguous: the name is in several namespaces, and none was asked for.
    """
    return resolve(trial, metadata.namespace, await store.namespaces(trial))


async def found_in(
    store: Store,
    trial: str,
    metadata: CallMetadata,
    read: Callable[[TrialKey], Awaitable[T]],
    *,
    is_empty: Callable[[T], bool],
) -> T:
    """Read a trial; look for its namespace only where there is nothing in the one asked for.

    Raises:
        Ambiguous: the name is in several namespaces, and none was asked for.
    """
    if metadata.namespace is not None:
        found = await read(TrialKey(namespace=metadata.namespace, trial=trial))
        if not is_empty(found):
            return found
    return await read(await key_of(store, trial, metadata))


@asynccontextmanager
async def ended(chunks: AsyncIterator[list[Row]]) -> AsyncIterator[AsyncIterator[list[Row]]]:
    """Let go of what a read holds when its reader has had enough, and not some time later."""
    try:
        yield chunks
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


class DBManager(api_pb2_grpc.DBManagerServicer):
    """`api.v1.beta1.DBManager` over a store."""

    def __init__(
        self, connection: Connection, news: News, metrics: Metrics, *, max_reply: int
    ) -> None:
        self._connection, self._news, self._metrics = connection, news, metrics
        self._max_reply = max_reply

    async def ReportObservationLog(  # noqa: N802 - the wire's name
        self, request: pb.ReportObservationLogRequest, context: Context
    ) -> pb.ReportObservationLogReply:
        """Store the points of a report; a repeat is acknowledged and changes nothing."""
        try:
            await self._report(request, read_metadata(context.invocation_metadata() or ()))
        finally:
            trim_after(len(request.observation_log.metric_logs))
        return pb.ReportObservationLogReply()

    async def _report(
        self, request: pb.ReportObservationLogRequest, metadata: CallMetadata
    ) -> None:
        trial = read_trial_name(request.trial_name)
        rows = await _rows_of(request)
        store = self._connection.store
        if rows or metadata.delivery:
            key = await _key_to_report(store, trial, metadata)
            receipt = await store.report(key, rows, metadata.delivery)
            self._metrics.reported(receipt)
            self._news.tell(trial)

    async def GetObservationLog(  # noqa: N802 - the wire's name
        self, request: pb.GetObservationLogRequest, context: Context
    ) -> pb.GetObservationLogReply:
        """Return the points of a trial in the order of time, if one reply can hold them."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        bounds = read_bounds((request.metric_name,), request.start_time, request.end_time)
        store = self._connection.store

        async def read(key: TrialKey) -> pb.ObservationLog:
            query = Query(
                key=key,
                metrics=bounds.metrics,
                from_micros=bounds.from_micros,
                to_micros=bounds.to_micros,
            )
            reply = LogReply(trial, metadata.max_reply or self._max_reply)
            try:
                async with ended(store.read(query)) as chunks:
                    async for rows in chunks:
                        reply.add(rows)
            finally:
                trim_after(len(reply.log.metric_logs))
            return reply.log

        log = await found_in(store, trial, metadata, read, is_empty=lambda log: not log.metric_logs)
        return pb.GetObservationLogReply(observation_log=log)

    async def DeleteObservationLog(  # noqa: N802 - the wire's name
        self, request: pb.DeleteObservationLogRequest, context: Context
    ) -> pb.DeleteObservationLogReply:
        """Remove the points of a trial; removing nothing is a success."""
        metadata = read_metadata(context.invocation_metadata() or ())
        trial = read_trial_name(request.trial_name)
        store = self._connection.store
        await store.delete(await key_of(store, trial, metadata))
        self._news.tell(trial)
        return pb.DeleteObservationLogReply()


async def _rows_of(request: pb.ReportObservationLogRequest) -> Columns:
    """Read the points, and let other calls go on between the pieces of a large report."""
    if not request.HasField("observation_log"):
        raise UserError("observation_log: missing; send one, be it without points")
    rows = Columns()
    for piece in pieces_of(request.observation_log):
        if rows:
            await asyncio.sleep(0)
        rows.extend(piece)
    return rows


async def _key_to_report(store: Store, trial: str, metadata: CallMetadata) -> TrialKey:
    """Return where a report belongs; whoever names a namespace needs no look at the database."""
    stored = frozenset[str]()
    if metadata.namespace is None:
        stored = await store.namespaces(trial)
    return resolve(trial, metadata.namespace, stored, to_report=True)
