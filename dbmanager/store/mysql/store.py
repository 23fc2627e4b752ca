"""The store in MySQL or MariaDB, with the driver asyncmy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Executable,
    Float,
    and_,
    case,
    func,
    literal,
    make_url,
    text,
    type_coerce,
)
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from api.errors import SetupError
from dbmanager.store.columns import Columns
from dbmanager.store.contract import TrialKey
from dbmanager.store.finite import LONGEST, PATTERN, USUAL, USUAL_LENGTH
from dbmanager.store.mysql.insert import insert_statements
from dbmanager.store.mysql.schema import MIGRATIONS, collation
from dbmanager.store.schema import sources
from dbmanager.store.sequence_numbers import SourceKey
from dbmanager.store.sql_errors import invalid_url
from dbmanager.store.sql_reads import ROWS, unsourced_noted
from dbmanager.store.sql_server import READERS, WRITERS, ServerStore

_CONNECT_SECONDS = 5
_LOCK_SECONDS = 60
_LARGEST = r"^[+-]?0*1\.79769313486231570*[eE]\+?0*308$"
"""Matches the largest double."""
_SETTINGS = (
    "unix_socket",
    "ssl_ca",
    "ssl_capath",
    "ssl_cert",
    "ssl_key",
    "ssl_cipher",
    "ssl_check_hostname",
)
"""The options that a URL may have."""


class MysqlStore(ServerStore):
    """A `Store` in MySQL or MariaDB."""

    def __init__(self, url: str, name: str, *, initialize: bool = True) -> None:
        """Take a URL.

        Raises:
            SetupError: the URL is not valid.
        """
        try:
            parsed = make_url(url).set(drivername="mysql+asyncmy")
        except (ArgumentError, ValueError):  # its text may have a part of the password
            raise invalid_url(name) from None
        for setting in parsed.query:
            if setting not in _SETTINGS:
                known = ", ".join(_SETTINGS)
                raise SetupError(
                    f"--database: the URL of {name} has an unknown option {setting!r}; known are"
                    f" {known}"
                )
        options = {
            "connect_args": {
                "connect_timeout": _CONNECT_SECONDS,
                # A value that is too long is an error; it is never cut.
                "sql_mode": "STRICT_ALL_TABLES",
            }
        }
        where = parsed.update_query_dict({"charset": "utf8mb4"})
        super().__init__(
            # A read after taking a lock must see what was committed before.
            create_async_engine(where, isolation_level="READ COMMITTED", **WRITERS, **options),
            create_async_engine(where, **READERS, **options),
            name,
        )
        self._initialize = initialize

    def number(self, value: ColumnElement[str]) -> ColumnElement[float]:
        """Let the server convert the text; it converts a too large number to the largest double."""
        double: ColumnElement[float] = type_coerce(value.op("+")(text("0e0")), Double())
        largest = literal(1.7976931348623157e308, Float())
        usual = and_(func.char_length(value) <= USUAL_LENGTH, value.op("REGEXP")(rf"^{USUAL}\z"))
        return case(
            (usual, double),
            (func.char_length(value) > LONGEST, None),
            (value.op("NOT REGEXP")(rf"^({PATTERN})\z"), None),
            (func.abs(double) < largest, double),
            (value.op("REGEXP")(_LARGEST), double),
        )

    def step_order(self) -> ColumnElement[int]:
        """Return the column itself: NULL comes first here, and the index has this order."""
        return ROWS.step

    def claim(self) -> Executable:
        """Return an INSERT that leaves an existing row unchanged."""
        return insert(sources).on_duplicate_key_update(gaps=sources.c.gaps)

    def advance(self) -> Executable:
        """Return an INSERT that updates an existing row."""
        new = insert(sources)
        return new.on_duplicate_key_update(
            last_sequence=new.inserted.last_sequence,
            gaps=sources.c.gaps + new.inserted.gaps,
            outcome=new.inserted.outcome,
        )

    async def insert(
        self, connection: AsyncConnection, batches: Sequence[tuple[SourceKey, Columns]]
    ) -> None:
        """Insert many rows with each statement."""
        raw = await connection.get_raw_connection()
        driver: Any = raw.driver_connection
        async with driver.cursor() as cursor:
            for statement in insert_statements(batches):
                await cursor.execute(statement)

    def unsourced(self, key: TrialKey) -> ColumnElement[bool]:
        """Read the trial's own row: without partial indexes, an index would cost every row."""
        # Katib's manager writes rows without namespace, and does not record them.
        return unsourced_noted(key) if key.namespace else super().unsourced(key)

    async def migrate(self, connection: AsyncConnection) -> None:
        """Upgrade under a named lock; each statement is its own transaction."""

        def run(synchronous: Any) -> None:  # noqa: ANN401 - SQLAlchemy's connection
            def execute(statement: str) -> Sequence[Sequence[Any]]:
                result = synchronous.exec_driver_sql(statement)
                return result.all() if result.returns_rows else ()

            if not MIGRATIONS.is_needed(execute):
                return
            if collation(execute) is None:
                raise SetupError(
                    f"--database: {self._name} cannot compare texts exactly;"
                    " upgrade it to MariaDB 10.2, MySQL 8.0.17, or later"
                )
            lock = "concat('trialwatch_schema_', left(md5(database()), 16))"
            if execute(f"SELECT get_lock({lock}, {_LOCK_SECONDS})")[0][0] != 1:
                raise TimeoutError(
                    f"another DB manager has been upgrading it for {_LOCK_SECONDS} s"
                )
            try:
                MIGRATIONS.run(execute, initialize=self._initialize)
                synchronous.commit()
            finally:
                execute(f"SELECT release_lock({lock})")

        await connection.run_sync(run)
