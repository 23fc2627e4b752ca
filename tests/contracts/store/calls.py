"""Reports and reads for the contract of stores, and names that databases may confuse."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.timestamps import to_micros
from dbmanager.store.contract import (
    AttemptOutcome,
    Delivery,
    NewRow,
    Query,
    Row,
    Store,
    TrialKey,
)

KEY = TrialKey(namespace="team", trial="trial")
NOW = to_micros("2026-01-31T12:00:00.123456Z")

LOOK_ALIKES = (
    "loss",
    "Loss",
    "LOSS",
    "löss",
    "loss ",
    " loss",
    "lo\u0308ss",
    "loß",
    "ｌoss",
    "los",
)
HOSTILE = (
    *LOOK_ALIKES,
    "'; DROP TABLE observation_logs; --",
    '"quoted"',
    "back\\slash",
    "\\'",
    "100%",
    "%s",
    "%(name)s",
    ":name",
    "?1",
    "{0}",
    "tab\tnew\nline\r\n",
    "\x01\x1f\x7f",
    "🦊🦊",
    "\u202eright to left",
    "\ufeff",
    "\ufffd",
    "\U0010ffff",
    "NULL",
    "\\N",
)


def rows(*values: str, metric: str = "loss", start: int = NOW, step: int = 1) -> list[NewRow]:
    return [NewRow(start + step * n, metric, value) for n, value in enumerate(values)]


def sent(sequence: int, source: str = "pod-1", outcome: AttemptOutcome | None = None) -> Delivery:
    return Delivery(source=source, sequence=sequence, outcome=outcome)


async def read(store: Store, key: TrialKey = KEY, **query: Any) -> list[Row]:  # noqa: ANN401 - the fields of a Query
    pages = [page async for page in store.read(Query(key=key, **query))]
    assert all(pages), "an empty page"
    return [row for page in pages for row in page]


async def values(store: Store, key: TrialKey = KEY, **query: Any) -> list[str]:  # noqa: ANN401 - the same
    return [row.value for row in await read(store, key, **query)]


async def behind(store: Store, after_id: int, key: TrialKey = KEY) -> list[Row]:
    return [row async for page in store.new_rows(key, after_id) for row in page]


def without_ids(found: Iterable[Row]) -> list[NewRow]:
    return [NewRow(*row[1:]) for row in found]
