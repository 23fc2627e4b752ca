"""The first record of an event file: whether the file is one, and when it began."""

from __future__ import annotations

from enum import Enum
from struct import unpack_from

from filters.event_files.records import HEADER_BYTES, header_fits

ENOUGH_BYTES = HEADER_BYTES + 9
"""Bytes at the start of a file that show it."""
_WALL_TIME = 0x09
"""The byte before the wall time, which is the first field of an Event."""


class NoTime(Enum):
    """Why no time is known."""

    TOO_SHORT = "too short"
    """The file has not enough bytes yet."""
    NO_EVENT_FILE = "no event file"
    UNKNOWN = "unknown"
    """An event file whose first record has no wall time."""


def first_time(start: bytes) -> float | NoTime:
    """Return the first wall time of a file that starts so, in seconds since 1970."""
    if len(start) < HEADER_BYTES:
        return NoTime.TOO_SHORT
    if not header_fits(start, 0):
        return NoTime.NO_EVENT_FILE
    if len(start) < ENOUGH_BYTES:
        return NoTime.TOO_SHORT
    if start[HEADER_BYTES] != _WALL_TIME:
        return NoTime.UNKNOWN
    time = float(unpack_from("<d", start, HEADER_BYTES + 1)[0])
    return time if time > 0 else NoTime.UNKNOWN
