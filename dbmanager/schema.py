"""The tables. Katib's `observation_logs` keeps its five columns, so that Katib still reads it.

| column of ours | meaning                                                  |
|----------------|----------------------------------------------------------|
| namespace      | the trial's; "" of rows that came without one            |
| source         | the attempt that sent the row; "" of Katib's writers     |

The index serves every read: the rows of one trial and source lie together, in their order. (With
several sources a page is sorted; a trial seldom has two that count.)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Katib's columns have no zone, and mean UTC
_MICROSECOND = timedelta(microseconds=1)

LONGEST_SOURCE = 128
"""Characters; MySQL's longest index has room for these beside two names."""


class Micros(TypeDecorator[int]):
    """Microseconds since 1970: a number in SQLite, Katib's timestamp types elsewhere."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """Write."""
        if value is None or dialect.name == "sqlite":
            return value
        return moment(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ANN401
        """Read."""
        if value is None or dialect.name == "sqlite":
            return value  # type: ignore[no-any-return]
        return int((value - _EPOCH) // _MICROSECOND)


def moment(micros: int) -> datetime:
    """Return microseconds since 1970 as the databases' drivers take them: UTC, without a zone."""
    return _EPOCH + timedelta(0, 0, micros)


_IDS = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers only INTEGER by itself

metadata = MetaData()

observation_logs = Table(
    "observation_logs",
    metadata,
    Column("trial_name", String(255), nullable=False),
    Column("id", _IDS, primary_key=True, autoincrement=True),
    Column("time", Micros()),
    Column("metric_name", String(255), nullable=False),
    Column("value", Text(), nullable=False),
    Column("namespace", String(255), nullable=False, server_default=text("''")),
    Column("source", String(LONGEST_SOURCE), nullable=False, server_default=text("''")),
    sqlite_autoincrement=True,
)

by_trial = Index(
    "trialwatch_by_trial",
    observation_logs.c.trial_name,
    observation_logs.c.namespace,
    observation_logs.c.source,
    observation_logs.c.time,
    observation_logs.c.id,
)

sources = Table(
    "trialwatch_sources",
    metadata,
    Column("trial_name", String(255), primary_key=True),
    Column("namespace", String(255), primary_key=True),
    Column("source", String(LONGEST_SOURCE), primary_key=True),
    Column("last_sequence", BigInteger(), nullable=False),
    Column("gaps", BigInteger(), nullable=False),
    Column("outcome", String(16)),
)

versions = Table("trialwatch_schema", metadata, Column("version", Integer(), primary_key=True))
