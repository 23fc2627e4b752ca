"""The tables in SQLite. Katib has no SQLite store, so no other program uses them.

A time is a number of microseconds since 1970. The column `number` is the value if it is a finite
number, else NULL: SQLite cannot decide this itself, and a Python function would be called for each
row of a summary.
"""

from __future__ import annotations

from dbmanager.store.migrations import Execute, Migrations, statements

_FIRST = statements(
    """
    CREATE TABLE IF NOT EXISTS observation_logs (
        trial_name VARCHAR(255) NOT NULL,
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER,
        metric_name VARCHAR(255) NOT NULL,
        value TEXT NOT NULL,
        namespace VARCHAR(255) NOT NULL DEFAULT '',
        source VARCHAR(255) NOT NULL DEFAULT '',
        number REAL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS trialwatch_sources (
        namespace VARCHAR(255) NOT NULL,
        trial_name VARCHAR(255) NOT NULL,
        source VARCHAR(255) NOT NULL,
        last_sequence INTEGER NOT NULL,
        gaps INTEGER NOT NULL,
        outcome VARCHAR(16),
        PRIMARY KEY (trial_name, namespace, source)
    ) WITHOUT ROWID
    """,
    # Every index of SQLite ends with the row's id.
    "CREATE INDEX IF NOT EXISTS trialwatch_in_order"
    " ON observation_logs (trial_name, namespace, time)",
    "CREATE INDEX IF NOT EXISTS trialwatch_unsourced"
    " ON observation_logs (trial_name, namespace) WHERE source = ''",
)

_SECOND = statements("DROP INDEX IF EXISTS trialwatch_by_id")
"""Version 1 used this index to find new rows; `sql_reads` finds them in another way now."""


def _third(execute: Execute) -> None:
    """Add the column `step`; SQLite has no `ADD COLUMN IF NOT EXISTS`."""
    columns = {row[1] for row in execute("PRAGMA table_info(observation_logs)")}
    if "step" not in columns:
        execute("ALTER TABLE observation_logs ADD COLUMN step INTEGER")


MIGRATIONS = Migrations(
    list_tables="SELECT name FROM sqlite_master WHERE type = 'table'",
    steps=(_FIRST, _SECOND, _third),
)
