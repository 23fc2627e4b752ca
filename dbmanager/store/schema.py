"""The tables, as queries name them; the migrations of each kind of database make them.

Katib's `observation_logs` keeps its five columns, so that Katib's manager still reads and writes
it. What it writes has no namespace and no source.

| column of ours | meaning                                                |
|----------------|--------------------------------------------------------|
| namespace      | the trial's; "" of rows that came without one          |
| source         | the attempt that sent the row; "" of Katib's writers   |

`trialwatch_sources` has one row for each source, and in the servers one with the source "" for each
trial that was ever written to: the lock that those take who write to the trial.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

from dbmanager.store.contract import LONGEST_NAME

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Katib's columns have no zone, and mean UTC
_MICROSECOND = timedelta(microseconds=1)


def moment(micros: int) -> datetime:
    """Return microseconds since 1970 as the drivers take them: UTC, without a zone."""
    return _EPOCH + timedelta(0, 0, micros)


class Micros(TypeDecorator[int]):
    """Microseconds since 1970: a number in SQLite, Katib's own types elsewhere."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """Write."""
        return value if value is None or dialect.name == "sqlite" else moment(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ANN401
        """Read."""
        if value is None or dialect.name == "sqlite":
            return value  # type: ignore[no-any-return]  # the column's own number
        return int((value - _EPOCH) // _MICROSECOND)


metadata = MetaData()

observation_logs = Table(
    "observation_logs",
    metadata,
    Column("trial_name", String(LONGEST_NAME), nullable=False),
    Column("id", BigInteger(), primary_key=True),
    Column("time", Micros()),
    Column("metric_name", String(LONGEST_NAME), nullable=False),
    Column("value", Text(), nullable=False),
    Column("namespace", String(LONGEST_NAME), nullable=False),
    Column("source", String(LONGEST_NAME), nullable=False),
)

sources = Table(
    "trialwatch_sources",
    metadata,
    Column("trial_name", String(LONGEST_NAME), primary_key=True),
    Column("namespace", String(LONGEST_NAME), primary_key=True),
    Column("source", String(LONGEST_NAME), primary_key=True),
    Column("last_sequence", BigInteger(), nullable=False),
    Column("gaps", BigInteger(), nullable=False),
    Column("outcome", String(16)),
)

versions = Table("trialwatch_schema", metadata, Column("version", Integer(), primary_key=True))
