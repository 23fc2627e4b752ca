"""Writes rows in the binary format of PostgreSQL's COPY.

The format is a header, the rows, and a trailer. A row is the number of its columns, then for each
column its length and its bytes. A time is microseconds since 2000. The values that all rows of a
report share are encoded once; tuples that the driver encodes would take three times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, repeat

from api.timestamps import to_micros
from dbmanager.store.columns import Columns

COLUMNS = ("trial_name", "namespace", "source", "time", "metric_name", "value", "step")
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
_EPOCH = to_micros("2000-01-01T00:00:00Z")
_TIME = 8
_NULL = struct.pack(">i", -1)
_PIECE = 1_000
"""Rows that are encoded at once."""


def copy_data(shared: tuple[str, str, str], rows: Columns) -> Iterator[bytes]:
    """Yield the bytes of rows; `shared` has trial name, namespace and source."""
    head = struct.pack(">h", len(COLUMNS)) + b"".join(map(_field, shared)) + _length(_TIME)
    for piece in rows.cut(_PIECE):
        values = [value.encode() for value in piece.values]
        yield b"".join(
            chain.from_iterable(
                zip(
                    repeat(head, len(piece)),
                    _times(piece.micros),
                    map(_known_field, piece.metrics),
                    map(_length, map(len, values)),
                    values,
                    map(_step, piece.steps),
                    strict=True,
                )
            )
        )


def _times(micros: list[int]) -> list[bytes]:
    packed = struct.pack(f">{len(micros)}q", *(micro - _EPOCH for micro in micros))
    return [packed[start : start + _TIME] for start in range(0, len(packed), _TIME)]


def _field(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">i", len(data)) + data


@lru_cache(1_000)
def _step(step: int | None) -> bytes:
    return _NULL if step is None else struct.pack(">iq", 8, step)


_known_field = lru_cache(1_000)(_field)
_length = lru_cache(1_000)(struct.Struct(">i").pack)
