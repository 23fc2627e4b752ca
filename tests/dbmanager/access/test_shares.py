"""Tokens decide whose share of the server a call uses, before its request is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import grpc
import grpc.aio
import pytest

from dbmanager.store.contract import Delivery, NewRow, Receipt, TrialKey
from dbmanager.store.memory import MemoryStore
from tests.dbmanager.access.guarded_server import (
    API_SERVER,
    Guarded,
    bearer,
    guarded,
    manager,
    numbered,
    sidecar,
)
from tests.dbmanager.dbmanager_server import Metadata, refused
from tests.polling import eventually
from tests.serving.tokens.service_account_tokens import claims

REPORT = "/api.v1.beta1.DBManager/ReportObservationLog"
POINT = ("2026-01-31T12:00:00Z", "loss", "0.5")
LARGE = ("2026-01-31T12:00:00Z", "x" * 200, "1" * 4_000)


async def call_without_a_request(server: Guarded, metadata: Metadata, over: asyncio.Event) -> None:
    """Make a call, and send nothing."""

    async def nothing() -> AsyncIterator[bytes]:
        await over.wait()
        for nothing in list[bytes]():
            yield nothing

    await server.tls.channel.stream_unary(REPORT)(nothing(), metadata=metadata)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), "no-token"),
        ((bearer("forged"),), "bad-token"),
        ((bearer(API_SERVER.token(claims("team-a", "another"))),), "bad-token"),
    ],
)
async def test_without_a_valid_token_no_request_is_read(metadata: Metadata, reason: str) -> None:
    over = asyncio.Event()
    async with guarded() as server:
        async with refused(grpc.StatusCode.UNAUTHENTICATED), asyncio.timeout(5.0):
            await call_without_a_request(server, metadata, over)
        over.set()
        assert server.refused(reason) == 1.0


class GatedStore(MemoryStore):
    """A store in which one tenant's reports do not end until the gate is open."""

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.reached = 0
        self._tenant = tenant

    async def report(
        self, key: TrialKey, rows: Sequence[NewRow], delivery: Delivery | None = None
    ) -> Receipt:
        if key.namespace == self._tenant:
            self.reached += 1
            await self.gate.wait()
        return await super().report(key, rows, delivery)


def uid(number: int) -> str:
    return f"{number:08}-2222-3333-4444-555555555555"


async def test_a_tenant_whose_large_reports_take_all_bytes_does_not_delay_others() -> None:
    store = GatedStore("mallory")
    async with guarded(store=store) as server:
        points = [LARGE] * 450  # 1.9 MB: two of them are under way at the same time
        attack = [
            asyncio.ensure_future(
                server.tls.report(
                    "t", *points, metadata=(sidecar("mallory", "t", uid(n)), *numbered(1, uid(n)))
                )
            )
            for n in range(40)
        ]
        await eventually(lambda: store.reached == 2)

        for sequence in range(1, 21):
            metadata = (sidecar(), *numbered(sequence))
            await server.tls.report("trial-1", POINT, metadata=metadata)

        assert store.reached == 2, "no hostile report has ended meanwhile"
        reports = await server.tls.get(
            "trial-1", metadata=(manager(), ("trialwatch-namespace", "team-a"))
        )
        assert len(reports) == 20
        store.gate.set()
        await asyncio.gather(*attack, return_exceptions=True)
