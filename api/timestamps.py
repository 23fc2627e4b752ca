"""RFC 3339 timestamps: whether a text is one, and which microsecond in UTC it means.

A valid timestamp has an upper-case `T`, an upper-case `Z` or an offset of at most 23:59, an
optional fraction of any length after a dot, a day that the calendar has, no leap second, and a
moment in the years 0001 to 9999 in UTC. So every valid text has a microsecond, and every
microsecond of these years has a text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from api.errors import UserError
from api.faults import quoted

# The shape alone: `datetime.fromisoformat` checks the calendar, but accepts many more shapes.
_SHAPE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)

FIRST_MICROS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""`0001-01-01T00:00:00Z`; Katib writes it if it does not know the time."""
LAST_MICROS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""`9999-12-31T23:59:59.999999Z`."""


def is_rfc3339(text: str) -> bool:
    """Return whether the whole text is a timestamp that `to_micros` accepts."""
    return _micros(text) is not None


def to_micros(text: str) -> int:
    """Return the microseconds since 1970 in UTC, rounded down.

    Raises:
        UserError: the text is not an RFC 3339 timestamp.
    """
    micros = _micros(text)
    if micros is None:
        raise UserError(
            f"{quoted(text)} is not an RFC 3339 timestamp;"
            " write date, T, time and zone, such as 2026-01-31T12:00:00.5Z"
        )
    return micros


def from_micros(micros: int) -> str:
    """Return the timestamp in UTC, with `Z` and without zeros at the end of the fraction.

    Raises:
        UserError: the moment is outside the years 0001 to 9999.
    """
    if not FIRST_MICROS <= micros <= LAST_MICROS:
        raise UserError(
            f"{micros} microseconds since 1970 is outside the years 0001 to 9999;"
            " correct the clock or the unit of this number"
        )
    text = (_NAIVE_EPOCH + timedelta(0, 0, micros)).isoformat()
    return f"{text.rstrip('0')}Z" if micros % 1_000_000 else f"{text}Z"


def _micros(text: str) -> int | None:
    if _SHAPE.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)  # ignores digits after the sixth
    except ValueError:
        return None  # the 30th of February, or the year 0000
    micros = (moment - _EPOCH) // _MICROSECOND
    return micros if FIRST_MICROS <= micros <= LAST_MICROS else None
