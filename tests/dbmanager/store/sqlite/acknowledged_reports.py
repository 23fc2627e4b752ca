"""A program: reports to an SQLite store, and notes each report that the store has acknowledged.

    python -m tests.dbmanager.store.sqlite.acknowledged_reports DATABASE NOTES

`NOTES` gets the value of each acknowledged report, one a line, by one call of `write` each.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from dbmanager.store.contract import Delivery, NewRow, TrialKey
from dbmanager.store.sqlite.store import SqliteStore

_ROUNDS = 40
_SIDE_BY_SIDE = 3
_WIDE = 40
"""Rows of a report: some pages, so that SQLite moves the WAL into the database now and then."""


async def report(database: Path, notes: int) -> None:
    """Send reports of several sources side by side."""
    store = SqliteStore(database)
    await store.open()
    for number in range(1, _ROUNDS + 1):
        await asyncio.gather(
            *(_one(store, source, number, notes) for source in range(_SIDE_BY_SIDE))
        )
    await store.close()


async def _one(store: SqliteStore, source: int, number: int, notes: int) -> None:
    value = f"{source}.{number}"
    rows = [NewRow(number, "loss", value + "0" * 900)] * (_WIDE - 1) + [
        NewRow(number, "loss", value)
    ]
    key = TrialKey(namespace="n", trial="t")
    await store.report(key, rows, Delivery(source=f"source-{source}", sequence=number))
    os.write(notes, f"{value}\n".encode())


if __name__ == "__main__":
    asyncio.run(report(Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT, 0o600)))
