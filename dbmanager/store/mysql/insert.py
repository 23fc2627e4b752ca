"""Writes INSERT statements of many rows.

A driver's `executemany` writes such statements too, but quotes each value by itself. Here the
values that all rows of a report share are quoted once, and the others are checked together, since
few have a character that needs an escape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from dbmanager.store.columns import Columns
from dbmanager.store.schema import utc_datetime
from dbmanager.store.sequence_numbers import SourceKey

_ROWS, _CHARACTERS = 5_000, 1_000_000
"""The most of one statement, unless one row is longer. Servers accept 16 MiB by default, some 4."""
_PIECE = 500
_HEAD = (
    "INSERT INTO observation_logs (trial_name,namespace,source,time,metric_name,value,step) VALUES "
)
_ESCAPES = str.maketrans(
    {"\0": "\\0", "\n": "\\n", "\r": "\\r", "\x1a": "\\Z", "'": "\\'", "\\": "\\\\"}
)
_needs_escapes = re.compile(r"[\0\n\r\x1a'\\]").search


def insert_statements(batches: Sequence[tuple[SourceKey, Columns]]) -> Iterator[str]:
    """Yield the statements that insert rows in order."""
    tuples: list[str] = []
    size = 0
    for text in _tuples(batches):
        if tuples and (len(tuples) == _ROWS or size + len(text) > _CHARACTERS):
            yield _HEAD + ",".join(tuples)
            tuples, size = [], 0
        tuples.append(text)
        size += len(text)
    if tuples:
        yield _HEAD + ",".join(tuples)


def _tuples(batches: Sequence[tuple[SourceKey, Columns]]) -> Iterator[str]:
    for (key, source), rows in batches:
        head = ",".join(map(quoted, (key.trial, key.namespace, source)))
        for piece in rows.cut(_PIECE):
            values: Sequence[str] = piece.values
            if _needs_escapes("".join(values)):
                values = [value.translate(_ESCAPES) for value in values]
            columns = zip(piece.micros, piece.metrics, values, piece.steps, strict=True)
            for micros, metric, value, step in columns:
                second, rest = divmod(micros, 1_000_000)
                time = f"{_second(second)}.{rest:06d}"
                number = "NULL" if step is None else step
                yield f"({head},'{time}',{_name(metric)},'{value}',{number})"


def quoted(text: str) -> str:
    """Return a text as a literal, for a session whose `sql_mode` allows backslash escapes."""
    return f"'{text.translate(_ESCAPES)}'"


@lru_cache(10_000)
def _second(second: int) -> str:
    return utc_datetime(second * 1_000_000).isoformat(" ")


_name = lru_cache(1_000)(quoted)
