"""How a database comes to today's schema: numbered steps, each taken once.

A step may be cut off anywhere (MySQL commits each statement of a schema by itself), so a step finds
what is there already and does the rest. Those who open a database at the same time take turns; the
store sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from api.errors import SetupError

Execute = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a statement, returns its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """The steps of one kind of database; step n leads to version n."""

    list_tables: str
    """A query for the names of the tables."""
    steps: Sequence[Callable[[Execute], None]]

    @property
    def version(self) -> int:
        """Today's."""
        return len(self.steps)

    def is_due(self, execute: Execute) -> bool:
        """Say whether there is anything to do.

        Raises:
            SetupError: a later trialwatch was here.
        """
        found = self._found(execute)
        if found > self.version:
            raise SetupError(
                f"--database: its schema has version {found} and this DB manager knows"
                f" {self.version}; run the later DB manager that has upgraded it"
            )
        return found < self.version

    def run(self, execute: Execute, *, initialize: bool = True) -> None:
        """Take the steps that are missing. The caller holds the lock.

        Raises:
            SetupError: a later trialwatch was here, or nothing may be made.
        """
        if not self.is_due(execute):
            return
        if not initialize:
            raise SetupError(
                "--database: tables or columns are missing, and the environment says not to make"
                " any; start a DB manager once without SKIP_DB_INITIALIZATION"
            )
        execute("CREATE TABLE IF NOT EXISTS trialwatch_schema (version INTEGER PRIMARY KEY)")
        for number in range(self._found(execute) + 1, self.version + 1):
            self.steps[number - 1](execute)
            execute(f"INSERT INTO trialwatch_schema (version) VALUES ({number})")  # noqa: S608 - our own number

    def _found(self, execute: Execute) -> int:
        tables = {str(row[0]) for row in execute(self.list_tables)}
        if "trialwatch_schema" not in tables:
            return 0
        return int(execute("SELECT coalesce(max(version), 0) FROM trialwatch_schema")[0][0])


def statements(*texts: str) -> Callable[[Execute], None]:
    """Make a step of statements that are harmless when repeated."""

    def step(execute: Execute) -> None:
        for text in texts:
            execute(text)

    return step
