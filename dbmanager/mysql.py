"""The store in MySQL or MariaDB, by asyncmy; rows go in by INSERTs of many rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Executable,
    Float,
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
from dbmanager.finite import LONGEST, PATTERN
from dbmanager.schema import moment, sources
from dbmanager.schema_mysql import MIGRATIONS, collation
from dbmanager.sql_server import POOL, ServerStore
from dbmanager.store import NewRow, TrialKey

_CONNECT_SECONDS = 5
_LOCK_SECONDS = 60
_ROWS, _CHARACTERS = 2_000, 1_000_000
"""Of one INSERT, unless one row has more; a server takes 16 MiB by default, some only 4."""
_LARGEST = r"^[+-]?0*1\.79769313486231570*[eE]\+?0*308$"
"""How the largest double is written."""
_SETTINGS = (
    "unix_socket",
    "ssl_ca",
    "ssl_capath",
    "ssl_cert",
    "ssl_key",
    "ssl_cipher",
    "ssl_check_hostname",
)
"""What the query of a URL may say."""
_INSERT = (
    "INSERT INTO observation_logs (trial_name, namespace, source, time, metric_name, value)"
    " VALUES (%s, %s, %s, %s, %s, %s)"
)


class MysqlStore(ServerStore):
    """A `Store` in MySQL or MariaDB."""

    def __init__(self, url: str, name: str, *, initialize: bool = True) -> None:
        """Take a URL.

        Raises:
            SetupError: the URL means nothing.
        """
        try:
            parsed = make_url(url).set(drivername="mysql+asyncmy")
        except (ArgumentError, ValueError) as error:
            raise SetupError(f"--database: {name} has no valid URL ({error})") from None
        for setting in parsed.query:
            if setting not in _SETTINGS:
                known = ", ".join(_SETTINGS)
                raise SetupError(f"--database: {name} has {setting!r}; known are {known}")
        engine = create_async_engine(
            parsed.update_query_dict({"charset": "utf8mb4"}),
            connect_args={
                "connect_timeout": _CONNECT_SECONDS,
                # A value that does not fit is an error, never cut off.
                "sql_mode": "STRICT_ALL_TABLES",
            },
            # What is read behind a lock has to be what was committed before it.
            isolation_level="READ COMMITTED",
            pool_size=POOL,
            max_overflow=0,
            pool_pre_ping=True,
        )
        super().__init__(engine, name)
        self._initialize = initialize

    def number(self, value: ColumnElement[str]) -> ColumnElement[float]:
        """Let the server read the text; it makes the largest double of what is too large."""
        double: ColumnElement[float] = type_coerce(value.op("+")(text("0e0")), Double())
        largest = literal(1.7976931348623157e308, Float())
        return case(
            (func.char_length(value) > LONGEST, None),
            (value.op("NOT REGEXP")(rf"^({PATTERN})\z"), None),
            (func.abs(double) < largest, double),
            (value.op("REGEXP")(_LARGEST), double),
        )

    def claim(self, values: dict[str, Any]) -> Executable:
        """Add a row, or leave it; either way it is locked."""
        added = insert(sources).values(values)
        return added.on_duplicate_key_update(gaps=sources.c.gaps)

    async def insert(
        self, connection: AsyncConnection, key: TrialKey, source: str, rows: Sequence[NewRow]
    ) -> None:
        """Insert many rows with each statement; asyncmy writes them as one."""
        shared = (key.trial, key.namespace, source)
        rows_at_hand: list[tuple[object, ...]] = []
        size = 0
        for micros, metric, value in rows:
            weight = len(metric) + len(value)
            if rows_at_hand and (len(rows_at_hand) == _ROWS or size + weight > _CHARACTERS):
                await connection.exec_driver_sql(_INSERT, rows_at_hand)
                rows_at_hand, size = [], 0
            rows_at_hand.append((*shared, moment(micros), metric, value))
            size += weight
        await connection.exec_driver_sql(_INSERT, rows_at_hand)

    async def migrate(self, connection: AsyncConnection) -> None:
        """Upgrade under a named lock; each statement of it is a transaction of its own."""

        def run(synchronous: Any) -> None:  # noqa: ANN401 - SQLAlchemy's connection
            def execute(statement: str) -> Sequence[Sequence[Any]]:
                found = synchronous.exec_driver_sql(statement)
                return found.all() if found.returns_rows else ()

            if not MIGRATIONS.is_due(execute):
                return
            if collation(execute) is None:
                raise SetupError(
                    f"--database: {self._name} cannot compare texts exactly;"
                    " upgrade it to MariaDB 10.2, MySQL 8.0.17, or later"
                )
            lock = "concat('trialwatch_schema_', left(md5(database()), 16))"
            if execute(f"SELECT get_lock({lock}, {_LOCK_SECONDS})")[0][0] != 1:
                raise TimeoutError(f"another DB manager upgrades it for {_LOCK_SECONDS} s already")
            try:
                MIGRATIONS.run(execute, initialize=self._initialize)
                synchronous.commit()
            finally:
                execute(f"SELECT release_lock({lock})")

        await connection.run_sync(run)
