"""A `Store` over gRPC: each call goes through a server, if the wire can carry it.

The store behind the server records what the wire does not return: ids, receipts, and the number of
deleted rows. A call that the wire cannot carry (metadata must be printable ASCII, requests keep
the limits of `api.report_limits`) goes directly to that store. Each read is also done there, and must return the same rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any

import grpc
import grpc.aio

from api.errors import Unavailable
from api.names import (
    NAMESPACE_METADATA,
    OUTCOME_METADATA,
    SEQUENCE_METADATA,
    SOURCE_METADATA,
)
from api.report_limits import LARGEST_MESSAGE, LONGEST_VALUE
from api.timestamps import from_micros, to_micros
from api.trialwatchv1 import observations_pb2 as ours
from api.v1beta1 import api_pb2 as pb
from dbmanager.store.contract import Delivery, NewRow, Query, Receipt, Row, Store, Summary, TrialKey
from tests.dbmanager.dbmanager_server import Client

Metadata = tuple[tuple[str, str], ...]


class RecordingStore:
    """Remembers the results of writes to an inner store; passes all other calls on."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.receipts: dict[tuple[TrialKey, Delivery | None], list[Receipt]] = defaultdict(list)
        self.deleted: dict[TrialKey, list[int]] = defaultdict(list)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        receipt = await self.inner.report(key, rows, delivery)
        self.receipts[key, delivery].append(receipt)
        return receipt

    async def delete(self, key: TrialKey) -> int:
        count = await self.inner.delete(key)
        self.deleted[key].append(count)
        return count


class StoreOverGrpc:
    """`dbmanager.store.contract.Store` over a client."""

    def __init__(self, client: Client, behind: RecordingStore) -> None:
        self._client: Any = client
        self._behind = behind

    def hang_up(self) -> None:
        """Drop the client: gRPC closes its descriptors with its last object."""
        self._client = None

    async def open(self) -> None:
        await self._behind.inner.open()

    async def close(self) -> None:
        await self._behind.inner.close()

    async def ping(self) -> None:
        await self._behind.inner.ping()

    async def namespaces(self, trial: str) -> frozenset[str]:
        return await self._behind.inner.namespaces(trial)

    async def sources(self, key: TrialKey) -> Mapping[str, int]:
        return await self._behind.inner.sources(key)

    def new_rows(self, key: TrialKey, after_id: int) -> AsyncIterator[list[Row]]:
        return self._behind.inner.new_rows(key, after_id)

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        metadata = _metadata(key, delivery)
        is_long = any(len(row.value) > LONGEST_VALUE for row in rows)
        if metadata is None or is_long:
            return await self._behind.inner.report(key, rows, delivery)
        request = pb.ReportObservationLogRequest(trial_name=key.trial)
        request.observation_log.SetInParent()
        for row in rows:
            log = request.observation_log.metric_logs.add(
                time_stamp=from_micros(row.micros), step=row.step
            )
            log.metric.name, log.metric.value = row.metric, row.value
        if request.ByteSize() > LARGEST_MESSAGE:
            return await self._behind.inner.report(key, rows, delivery)
        await _called(self._client.manager.ReportObservationLog(request, metadata=metadata))
        receipts = self._behind.receipts[key, delivery]
        return receipts.pop() if receipts else Receipt(stored=0)

    async def delete(self, key: TrialKey) -> int:
        metadata = await self._metadata_to_read(key)
        if metadata is None:
            return await self._behind.inner.delete(key)
        request = pb.DeleteObservationLogRequest(trial_name=key.trial)
        await _called(self._client.manager.DeleteObservationLog(request, metadata=metadata))
        return self._behind.deleted[key].pop()

    async def summary(self, key: TrialKey, metrics: Sequence[str] = ()) -> list[Summary]:
        metadata = await self._metadata_to_read(key)
        if metadata is None:
            return await self._behind.inner.summary(key, metrics)
        request = ours.SummaryRequest(trial_name=key.trial, metric_names=metrics)
        reply = await _called(self._client.observations.Summary(request, metadata=metadata))
        return [
            Summary(
                metric=found.name,
                count=found.count,
                first=found.first,
                last=found.last,
                minimum=found.min or None,
                maximum=found.max or None,
                first_micros=to_micros(found.first_time),
                last_micros=to_micros(found.last_time),
                first_step=_step(found, "first_step"),
                last_step=_step(found, "last_step"),
                minimum_step=_step(found, "min_step"),
                maximum_step=_step(found, "max_step"),
            )
            for found in reply.metrics
        ]

    async def read(self, query: Query) -> AsyncIterator[list[Row]]:
        metadata = await self._metadata_to_read(query.key)
        async for rows in self._behind.inner.read(query):
            yield rows
        if metadata is None or query.after is not None:
            return
        found = [row async for rows in self._behind.inner.read(query) for row in rows]
        metrics = tuple(dict.fromkeys(query.metrics)) or ("",)
        shown = [row for name in metrics async for row in self._shown(query, name, metadata)]
        if query.limit is None:
            wanted = [(row.micros, row.metric, row.value, row.step) for row in found]
            assert Counter(shown) == Counter(wanted) if len(metrics) > 1 else shown == wanted

    async def _metadata_to_read(self, key: TrialKey) -> Metadata | None:
        """Return the key, or the key with "" as its namespace, as the server does.

        With any namespace, the server also finds a trial that only Katib's writers have reported.
        """
        stored = await self._behind.inner.namespaces(key.trial)
        kinder = "" in stored and key.namespace not in stored
        return None if kinder else _metadata(key)

    async def _shown(
        self, query: Query, metric: str, metadata: Metadata
    ) -> AsyncIterator[tuple[int, str, str, int | None]]:
        """Yield the points of a metric page by page, as a client sees them."""
        request = ours.ReadRequest(trial_name=query.key.trial, metric_name=metric)
        if query.from_micros is not None:
            request.start_time = from_micros(query.from_micros)
        if query.to_micros is not None:
            request.end_time = from_micros(query.to_micros)
        while True:
            reply = await _called(self._client.observations.Read(request, metadata=metadata))
            for log in reply.observation_log.metric_logs:
                micros, step = to_micros(log.time_stamp), _step(log, "step")
                yield micros, log.metric.name, log.metric.value, step
            if not reply.next_page_token:
                return
            request.page_token = reply.next_page_token


def _step(message: Any, field: str) -> int | None:  # noqa: ANN401 - any message with a step
    """Return an optional step of a message."""
    step: int = getattr(message, field)
    return step if message.HasField(field) else None


async def _called(call: Awaitable[Any]) -> Any:  # noqa: ANN401 - any reply
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            raise Unavailable(error.details() or "") from error
        raise


def _metadata(key: TrialKey, delivery: Delivery | None = None) -> Metadata | None:
    """Return the metadata of a request; None if gRPC cannot carry it."""
    said = [(NAMESPACE_METADATA, key.namespace)]
    if delivery is not None:
        said.append((SOURCE_METADATA, delivery.source))
        said.append((SEQUENCE_METADATA, str(delivery.sequence)))
        if delivery.outcome is not None:
            said.append((OUTCOME_METADATA, delivery.outcome.value))
    plain = all(text.isascii() and text.isprintable() and text == text.strip() for _, text in said)
    return tuple(said) if plain and (delivery is None or delivery.source) else None
