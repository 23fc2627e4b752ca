"""Writes to SQLite within a transaction.

One statement inserts many rows. `executemany` would release and take Python's lock for each row, so
each row would wait for a busy event loop.
"""

from __future__ import annotations

import sqlite3
from functools import cache

from dbmanager.store.columns import Columns
from dbmanager.store.contract import Delivery, Receipt, TrialKey
from dbmanager.store.finite import numbers_of

_SIZES = (400, 40, 4, 1)
"""Rows of one statement; SQLite accepts 32,766 parameters."""
_OWN = 5
"""Parameters of each row, besides those that all rows share."""
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
    connection: sqlite3.Connection, key: TrialKey, rows: Columns, delivery: Delivery | None
) -> Receipt:
    """Store a report, unless it is a repeat."""
    gap, source = 0, ""
    if delivery is not None:
        source = delivery.source
        row = connection.execute(_LAST, (key.trial, key.namespace, source)).fetchone()
        last = row[0] if row else 0
        if delivery.sequence <= last:
            return Receipt(stored=0, repeat=True)
        gap = delivery.sequence - last - 1
        outcome = delivery.outcome and delivery.outcome.value
        state = (key.trial, key.namespace, source, delivery.sequence, gap, outcome)
        connection.execute(_ADVANCE, state)
    _insert(connection, (key.trial, key.namespace, source), rows)
    return Receipt(stored=len(rows), gap=gap)


def delete_trial(connection: sqlite3.Connection, key: TrialKey) -> int:
    """Delete a trial's rows and sources; return how many rows were deleted."""
    where = "WHERE trial_name = ? AND namespace = ?"
    trial = (key.trial, key.namespace)
    connection.execute(f"DELETE FROM trialwatch_sources {where}", trial)  # noqa: S608 - a constant
    rows = connection.execute(f"DELETE FROM observation_logs {where}", trial)  # noqa: S608 - a constant
    return rows.rowcount


def delete_some(connection: sqlite3.Connection, key: TrialKey, most: int) -> int:
    """Delete some rows of a trial; return how many."""
    some = (
        "DELETE FROM observation_logs WHERE id IN (SELECT id FROM observation_logs"
        " WHERE trial_name = ? AND namespace = ? LIMIT ?)"
    )
    return connection.execute(some, (key.trial, key.namespace, most)).rowcount


def _insert(connection: sqlite3.Connection, shared: tuple[str, str, str], rows: Columns) -> None:
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            connection.execute(_statement(size), _values(shared, rows[start : start + size]))
            start += size


def _values(shared: tuple[str, str, str], rows: Columns) -> list[str | float | None]:
    own: list[str | float | None] = [None] * (_OWN * len(rows))
    own[0::_OWN] = rows.micros
    own[1::_OWN] = rows.metrics
    own[2::_OWN] = rows.values
    own[3::_OWN] = numbers_of(rows.values)
    own[4::_OWN] = rows.steps
    return [*shared, *own]


@cache
def _statement(size: int) -> str:
    """Return the INSERT of so many rows; the three values that all rows share appear once."""
    starts = range(4, 4 + _OWN * size, _OWN)
    own = ([f"?{number}" for number in range(start, start + _OWN)] for start in starts)
    rows = ",".join(f"(?1,?2,?3,{','.join(values)})" for values in own)
    return (
        "INSERT INTO observation_logs"  # noqa: S608 - it has no text of a caller
        f" (trial_name, namespace, source, time, metric_name, value, number, step) VALUES {rows}"
    )
