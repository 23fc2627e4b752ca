"""Databases as Katib's own DB manager creates and fills them: its statements, its defaults."""

from __future__ import annotations

from typing import Any

import asyncmy
import asyncpg

from tests.dbmanager.database_servers import DatabaseServer, PostgreSQL

_ID = {"PostgreSQL": "serial PRIMARY KEY", "MariaDB": "INT AUTO_INCREMENT PRIMARY KEY"}
_TIME = {"PostgreSQL": "TIMESTAMP(6)", "MariaDB": "DATETIME(6)"}


class KatibDatabase:
    """A database of a server, and statements of other programs to it."""

    def __init__(self, server: DatabaseServer, name: str) -> None:
        self._server, self._name = server, name
        self.url = server.url(name)

    async def make_table(self) -> None:
        """Create the table as Katib does."""
        kind = self._server.kind
        await self.run(
            "CREATE TABLE IF NOT EXISTS observation_logs (trial_name VARCHAR(255) NOT NULL,"
            f" id {_ID[kind]}, time {_TIME[kind]}, metric_name VARCHAR(255) NOT NULL,"
            " value TEXT NOT NULL)"
        )

    async def write(self, *rows: tuple[str, str | None, str, str]) -> None:
        """Write rows of (trial, time, metric, value) as Katib does, with the names of its columns."""
        written = ", ".join(
            f"('{trial}', {'NULL' if time is None else repr(time)}, '{metric}', '{value}')"
            for trial, time, metric, value in rows
        )
        await self.run(
            f"INSERT INTO observation_logs (trial_name, time, metric_name, value) VALUES {written}"
        )

    async def read(self, trial: str) -> list[tuple[str, str]]:
        """Read (metric, value) as Katib does."""
        found = await self.run(
            "SELECT time, metric_name, value FROM observation_logs"
            f" WHERE trial_name = '{trial}' ORDER BY time"
        )
        return [(row[1], row[2]) for row in found]

    async def run(self, statement: str) -> list[Any]:
        """Run one statement on a new connection; return the rows."""
        if isinstance(self._server, PostgreSQL):
            connection = await asyncpg.connect(self.url)
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.close()
        connection = await asyncmy.connect(
            host="127.0.0.1",
            port=self._server.port,
            user="root",
            db=self._name,
            charset="utf8mb4",
            autocommit=True,
        )
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(statement)
                return list(await cursor.fetchall() or ())
        finally:
            await connection.ensure_closed()
