"""The rows of a database that Katib has filled, and reads of it through a store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.timestamps import from_micros
from dbmanager.connect import store_for
from dbmanager.store.contract import Query, Store, TrialKey

OLD = TrialKey(namespace="", trial="old")
OLD_ROWS = (
    ("old", "2024-05-01 10:00:00.5", "loss", "0.5"),
    ("old", "2024-05-01 10:00:00.5", "loss", "0.5"),
    ("old", "2024-05-01 09:00:00.123456", "Loss", "1"),
    ("old", "0001-01-01 00:00:00", "unavailable", "unavailable"),
    ("Old", "2024-05-01 10:00:00", "loss", "another trial"),
)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = store_for(url)
    try:
        await store.open()
        yield store
    finally:
        await store.close()


async def read(store: Store, key: TrialKey = OLD) -> list[tuple[str, str, str]]:
    rows = [row async for page in store.read(Query(key=key)) for row in page]
    return [(from_micros(row.micros), row.metric, row.value) for row in rows]
