"""Upgrades a database to the current schema: numbered steps, each done once.

A step may be interrupted anywhere (MySQL commits each schema statement by itself), so a step skips
what is done already. The store holds a lock, so two programs never upgrade at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from api.errors import SetupError

Execute = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a statement; returns its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """The steps of one kind of database; after step n, the schema has version n."""

    list_tables: str
    """A query that returns the names of the tables."""
    steps: Sequence[Callable[[Execute], None]]

    @property
    def version(self) -> int:
        """The version after all steps."""
        return len(self.steps)

    def is_needed(self, execute: Execute) -> bool:
        """Return whether a step is missing.

        Raises:
            SetupError: a later trialwatch has upgraded the database.
        """
        version = self._database_version(execute)
        if version > self.version:
            raise SetupError(
                f"--database: the schema has version {version}, but this DB manager knows only"
                f" {self.version}; run the later DB manager that has upgraded the database"
            )
        return version < self.version

    def run(self, execute: Execute, *, initialize: bool = True) -> None:
        """Do the missing steps. The caller holds the lock.

        Raises:
            SetupError: a later trialwatch has upgraded the database, or steps are missing and
                `initialize` is false.
        """
        if not self.is_needed(execute):
            return
        if not initialize:
            raise SetupError(
                "--database: tables or columns are missing, and SKIP_DB_INITIALIZATION forbids to"
                " create them; start a DB manager once without SKIP_DB_INITIALIZATION"
            )
        execute("CREATE TABLE IF NOT EXISTS trialwatch_schema (version INTEGER PRIMARY KEY)")
        for number in range(self._database_version(execute) + 1, self.version + 1):
            self.steps[number - 1](execute)
            execute(f"INSERT INTO trialwatch_schema (version) VALUES ({number})")  # noqa: S608 - our own number

    def _database_version(self, execute: Execute) -> int:
        tables = {str(row[0]) for row in execute(self.list_tables)}
        if "trialwatch_schema" not in tables:
            return 0
        return int(execute("SELECT coalesce(max(version), 0) FROM trialwatch_schema")[0][0])


def statements(*texts: str) -> Callable[[Execute], None]:
    """Return a step that runs statements; each must be harmless when repeated."""

    def step(execute: Execute) -> None:
        for text in texts:
            execute(text)

    return step
