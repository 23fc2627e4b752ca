"""MySQL's and MariaDB's tables: Katib's, and what is added to them.

These servers compare texts by the collation of a column, and the usual ones think `Loss`, `loss`
and `löss ` equal. So names get a collation that compares code points and does not pad with blanks;
MariaDB and MySQL call theirs differently. All texts become utf8mb4, in which each can be stored.

A value may be longer than the 65,535 bytes of Katib's TEXT, hence MEDIUMTEXT.

The longest index has three names of 255 characters: 3 * 255 * 4 = 3,060 of 3,072 bytes. Tables in
the formats of old versions hold less, hence ROW_FORMAT=DYNAMIC. Each index ends with the row's id.
"""

from __future__ import annotations

from dbmanager.store.migrations import Execute, Migrations

_COLLATIONS = ("utf8mb4_nopad_bin", "utf8mb4_0900_bin")
"""MariaDB's from 10.2, MySQL's from 8.0.17."""

_HERE = "WHERE table_schema = database() AND table_name = 'observation_logs'"
_INDEXES = {"trialwatch_in_order": "trial_name, namespace, time"}


def collation(execute: Execute) -> str | None:
    """Return the name of the exact collation here; None where the server is too old."""
    named = ", ".join(f"'{name}'" for name in _COLLATIONS)
    found = execute(
        "SELECT collation_name FROM information_schema.collations"  # noqa: S608 - our own names
        f" WHERE collation_name IN ({named})"
    )
    return str(found[0][0]) if found else None


def _first(execute: Execute) -> None:
    exact = f"CHARACTER SET utf8mb4 COLLATE {collation(execute)}"
    name = f"VARCHAR(255) {exact} NOT NULL"
    # As Katib makes it, save that ids do not end at 2,147,483,647.
    execute(
        f"CREATE TABLE IF NOT EXISTS observation_logs (trial_name {name},"
        f" id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, time DATETIME(6), metric_name {name},"
        f" value MEDIUMTEXT {exact} NOT NULL) ENGINE=InnoDB ROW_FORMAT=DYNAMIC"
    )
    execute(
        f"CREATE TABLE IF NOT EXISTS trialwatch_sources (namespace {name}, trial_name {name},"
        f" source {name}, last_sequence BIGINT NOT NULL, gaps BIGINT NOT NULL,"
        f" outcome VARCHAR(16) {exact}, PRIMARY KEY (trial_name, namespace, source))"
        " ENGINE=InnoDB ROW_FORMAT=DYNAMIC"
    )
    changes = [*_changed_columns(name, exact), *_missing(execute, name)]
    if changes := [change for change in changes if change]:
        # In one statement, so that a large table is written anew once.
        execute(f"ALTER TABLE observation_logs {', '.join(changes)}, ROW_FORMAT=DYNAMIC")


def _changed_columns(name: str, exact: str) -> list[str]:
    return [
        f"MODIFY trial_name {name}",
        "MODIFY id BIGINT NOT NULL AUTO_INCREMENT",
        f"MODIFY metric_name {name}",
        f"MODIFY value MEDIUMTEXT {exact} NOT NULL",
    ]


def _missing(execute: Execute, name: str) -> list[str]:
    columns = {
        str(row[0])
        for row in execute(f"SELECT column_name FROM information_schema.columns {_HERE}")  # noqa: S608 - our own words
    }
    added = [
        f"ADD COLUMN {column} {name} DEFAULT ''"
        for column in ("namespace", "source")
        if column not in columns
    ]
    present = _present_indexes(execute)
    return added + [
        f"ADD INDEX {index} ({parts})" for index, parts in _INDEXES.items() if index not in present
    ]


def _present_indexes(execute: Execute) -> set[str]:
    found = execute(f"SELECT index_name FROM information_schema.statistics {_HERE}")  # noqa: S608 - our own words
    return {str(row[0]) for row in found}


def _second(execute: Execute) -> None:
    """Drop the indexes by which version 1 found new rows, and rows without a source.

    `sql_reads` says how new rows are found now. That a trial has rows without a source is noted in
    its own row of `trialwatch_sources`, save what Katib writes, which has no namespace.
    """
    execute(
        "UPDATE trialwatch_sources AS trial SET last_sequence = 1 WHERE source = '' AND EXISTS"
        " (SELECT 1 FROM observation_logs AS log WHERE log.trial_name = trial.trial_name"
        " AND log.namespace = trial.namespace AND log.source = '')"
    )
    present = _present_indexes(execute)
    dropped = [name for name in ("trialwatch_by_id", "trialwatch_by_source") if name in present]
    if dropped:
        changes = ", ".join(f"DROP INDEX {name}" for name in dropped)
        execute(f"ALTER TABLE observation_logs {changes}")


MIGRATIONS = Migrations(
    list_tables="SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
    steps=(_first, _second),
)
