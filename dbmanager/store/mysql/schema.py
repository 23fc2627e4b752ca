"""The tables in MySQL and MariaDB: Katib's table, and what trialwatch adds.

These servers compare texts by the collation of a column, and with the usual collations `Loss`,
`loss` and `löss ` are equal. So names get a collation that compares code points and does not pad
with blanks; MariaDB and MySQL have different names for it. All texts become utf8mb4, which has
every character.

A value may be longer than the 65,535 bytes of Katib's TEXT, hence MEDIUMTEXT.

The longest index has three names of 255 characters: 3 * 255 * 4 = 3,060 of 3,072 bytes. The row
formats of old versions allow less, hence ROW_FORMAT=DYNAMIC. Each index ends with the row's id.
"""

from __future__ import annotations

from collections import defaultdict

from dbmanager.store.migrations import Execute, Migrations

_COLLATIONS = ("utf8mb4_nopad_bin", "utf8mb4_0900_bin")
"""Of MariaDB from 10.2, and of MySQL from 8.0.17."""

_OF_TABLE = "WHERE table_schema = database() AND table_name = 'observation_logs'"
_INDEXES = {"trialwatch_in_order": "trial_name, namespace, time, step"}
"""The order of reads: these servers sort nothing by themselves that an index has in part."""
_STEP = "ADD COLUMN step BIGINT"


def collation(execute: Execute) -> str | None:
    """Return the name of the server's exact collation; None if the server is too old."""
    names = ", ".join(f"'{name}'" for name in _COLLATIONS)
    rows = execute(
        "SELECT collation_name FROM information_schema.collations"  # noqa: S608 - constant names
        f" WHERE collation_name IN ({names})"
    )
    return str(rows[0][0]) if rows else None


def _first(execute: Execute) -> None:
    exact = f"CHARACTER SET utf8mb4 COLLATE {collation(execute)}"
    name = f"VARCHAR(255) {exact} NOT NULL"
    # As Katib creates it, except that ids may exceed 2,147,483,647.
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
        # In one statement, so a large table is rewritten only once.
        execute(f"ALTER TABLE observation_logs {', '.join(changes)}, ROW_FORMAT=DYNAMIC")


def _changed_columns(name: str, exact: str) -> list[str]:
    return [
        f"MODIFY trial_name {name}",
        "MODIFY id BIGINT NOT NULL AUTO_INCREMENT",
        f"MODIFY metric_name {name}",
        f"MODIFY value MEDIUMTEXT {exact} NOT NULL",
    ]


def _columns(execute: Execute) -> set[str]:
    rows = execute(f"SELECT column_name FROM information_schema.columns {_OF_TABLE}")  # noqa: S608 - constants
    return {str(row[0]) for row in rows}


def _missing(execute: Execute, name: str) -> list[str]:
    columns = _columns(execute)
    added = [
        f"ADD COLUMN {column} {name} DEFAULT ''"
        for column in ("namespace", "source")
        if column not in columns
    ]
    if "step" not in columns:
        added.append(_STEP)
    return added + _changed_indexes(execute)


def _changed_indexes(execute: Execute) -> list[str]:
    """Return the changes to indexes that are missing, or that have the columns of another version.

    An older manager that was killed before it recorded its version leaves such an index.
    """
    present = _present_indexes(execute)
    changes: list[str] = []
    for index, parts in _INDEXES.items():
        if present.get(index) != parts:
            changes += [f"DROP INDEX {index}"] if index in present else []
            changes.append(f"ADD INDEX {index} ({parts})")
    return changes


def _present_indexes(execute: Execute) -> dict[str, str]:
    """Return the columns of each index, in its order, as `_INDEXES` has them."""
    rows = execute(
        f"SELECT index_name, column_name FROM information_schema.statistics {_OF_TABLE}"  # noqa: S608 - constants
        " ORDER BY index_name, seq_in_index"
    )
    columns: defaultdict[str, list[str]] = defaultdict(list)
    for index, column in rows:
        columns[str(index)].append(str(column))
    return {index: ", ".join(parts) for index, parts in columns.items()}


def _second(execute: Execute) -> None:
    """Drop two indexes of version 1: for new rows, and for rows without a source.

    `sql_reads` finds new rows in another way now. A trial's own row of `trialwatch_sources` records
    that the trial has rows without a source, except for rows that Katib writes (without namespace).
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


def _third(execute: Execute) -> None:
    """Add the column `step`, and put it into the index that reads walk along."""
    if "step" in _columns(execute):
        return
    changes = ", ".join([_STEP, *_changed_indexes(execute)])
    execute(f"ALTER TABLE observation_logs {changes}")


MIGRATIONS = Migrations(
    list_tables="SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
    steps=(_first, _second, _third),
)
