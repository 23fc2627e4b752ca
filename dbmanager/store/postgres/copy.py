"""Rows as PostgreSQL's COPY takes them in its binary format.

A header, then for each row the number of its columns and for each column its length and its bytes,
then a trailer. A time is microseconds since 2000. What all rows of a report share is written once
and joined in; a tuple for each row, which the driver would then take apart, costs three times that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, repeat

from api.timestamps import to_micros
from dbmanager.store.columns import Columns

COLUMNS = ("trial_name", "namespace", "source", "time", "metric_name", "value")
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
_EPOCH = to_micros("2000-01-01T00:00:00Z")
_TIME = 8
_PIECE = 1_000
"""Rows that are written in one go."""


def copied(shared: tuple[str, str, str], rows: Columns) -> Iterator[bytes]:
    """Write rows, given the first three of their columns."""
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


_known_field = lru_cache(1_000)(_field)
_length = lru_cache(1_000)(struct.Struct(">i").pack)
