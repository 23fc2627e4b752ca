"""What is written to SQLite within a transaction.

Rows go many to a statement. With `executemany` each row would be a step of its own, for which
Python's lock is given up and taken again: a busy event loop then makes each row wait.
"""

from __future__ import annotations

import sqlite3
from functools import cache

from dbmanager.store.columns import Columns
from dbmanager.store.contract import Delivery, Receipt, TrialKey
from dbmanager.store.finite import numbers_of

_SIZES = (400, 40, 4, 1)
"""Rows of a statement; SQLite takes 32,766 parameters."""
_LAST = (
    "SELECT last_sequence FROM trialwatch_sources"
    " WHERE trial_name = ? AND namespace = ? AND source = ?"
)
_ADVANCE = (
    "INSERT INTO trialwatch_sources"
    " (trial_name, namespace, source, last_sequence, gaps, outcome) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET last_sequence = excluded.last_sequence,"
    " gaps = gaps + excluded.gaps, outcome = excluded.outcome"
)


def store_report(
    to: sqlite3.Connection, key: TrialKey, rows: Columns, delivery: Delivery | None
) -> Receipt:
    """Store a report, or see that it is a repeat."""
    gap, source = 0, ""
    if delivery is not None:
        source = delivery.source
        found = to.execute(_LAST, (key.trial, key.namespace, source)).fetchone()
        last = found[0] if found else 0
        if delivery.sequence <= last:
            return Receipt(stored=0, repeat=True)
        gap = delivery.sequence - last - 1
        outcome = delivery.outcome and delivery.outcome.value
        state = (key.trial, key.namespace, source, delivery.sequence, gap, outcome)
        to.execute(_ADVANCE, state)
    _insert(to, (key.trial, key.namespace, source), rows)
    return Receipt(stored=len(rows), gap=gap)


def delete_trial(to: sqlite3.Connection, key: TrialKey) -> int:
    """Delete rows and sources; return how many rows."""
    which = (key.trial, key.namespace)
    to.execute("DELETE FROM trialwatch_sources WHERE trial_name = ? AND namespace = ?", which)
    rows = to.execute("DELETE FROM observation_logs WHERE trial_name = ? AND namespace = ?", which)
    return rows.rowcount


def _insert(to: sqlite3.Connection, shared: tuple[str, str, str], rows: Columns) -> None:
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            to.execute(_statement(size), _values(shared, rows[start : start + size]))
            start += size


def _values(shared: tuple[str, str, str], rows: Columns) -> list[str | float | None]:
    own: list[str | float | None] = [None] * (4 * len(rows))
    own[0::4] = rows.micros
    own[1::4] = rows.metrics
    own[2::4] = rows.values
    own[3::4] = numbers_of(rows.values)
    return [*shared, *own]


@cache
def _statement(size: int) -> str:
    """Make the statement; the three values that all rows share are given once."""
    own = ((f"?{n}", f"?{n + 1}", f"?{n + 2}", f"?{n + 3}") for n in range(4, 4 + 4 * size, 4))
    rows = ",".join(f"(?1,?2,?3,{','.join(values)})" for values in own)
    return (
        "INSERT INTO observation_logs"  # noqa: S608 - nothing of a caller's is in it
        f" (trial_name, namespace, source, time, metric_name, value, number) VALUES {rows}"
    )
