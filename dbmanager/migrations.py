"""How a database comes to today's schema, step by step; each step is harmless when repeated."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

_SQLITE_1 = """
CREATE TABLE IF NOT EXISTS observation_logs (
    trial_name VARCHAR(255) NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time BIGINT,
    metric_name VARCHAR(255) NOT NULL,
    value TEXT NOT NULL,
    namespace VARCHAR(255) NOT NULL DEFAULT '',
    source VARCHAR(128) NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS trialwatch_by_trial
    ON observation_logs (trial_name, namespace, source, time, id);
CREATE TABLE IF NOT EXISTS trialwatch_sources (
    trial_name VARCHAR(255) NOT NULL,
    namespace VARCHAR(255) NOT NULL,
    source VARCHAR(128) NOT NULL,
    last_sequence BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    outcome VARCHAR(16),
    PRIMARY KEY (trial_name, namespace, source)
);
"""


def _sqlite_1(connection: sqlite3.Connection) -> None:
    """Make the tables; `executescript` with its own transaction, so that two openers take turns."""
    connection.executescript(f"BEGIN IMMEDIATE;{_SQLITE_1}PRAGMA user_version=1;COMMIT;")


SQLITE_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (_sqlite_1,)
