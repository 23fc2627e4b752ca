"""The tables, for queries. The migrations of each kind of database create them.

Katib's `observation_logs` keeps its five columns, so Katib's manager can still read and write it.
The rows that it writes have the namespace "" and the source "".

| added column | meaning                                                        |
|--------------|----------------------------------------------------------------|
| namespace    | of the trial; "" if the report gave none                       |
| source       | the attempt that sent the row; "" if the report gave none      |
| step         | the training's own counter; NULL if the report gave none       |

`trialwatch_sources` has one row for each source. In PostgreSQL and MySQL it also has one row with
the source "" for each trial that was ever written to: writers lock this row.
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

from api.report_limits import LONGEST_NAME

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Katib's columns have no time zone; they are in UTC
_MICROSECOND = timedelta(microseconds=1)


def utc_datetime(micros: int) -> datetime:
    """Return microseconds since 1970 as the drivers expect them: UTC, without a time zone."""
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
        """Convert a value for the driver."""
        return value if value is None or dialect.name == "sqlite" else utc_datetime(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ANN401
        """Convert a value from the driver."""
        if value is None or dialect.name == "sqlite":
            return value  # type: ignore[no-any-return]  # an integer column
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
    Column("step", BigInteger()),
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
