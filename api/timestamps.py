"""RFC 3339 time stamps: is a text one, and which microsecond of UTC is meant.

Valid here: upper-case `T` and `Z` (or an offset of at most 23:59), a fraction of any length after
a point, a day that the calendar has, no leap second, and a moment that lies in the years 0001 to
9999 of UTC, so that every valid text has a microsecond and every one of these a text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from api.errors import UserError
from api.faults import quoted

# The shape; `datetime.fromisoformat` knows the calendar, and would take far more shapes than these.
_SHAPE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)

FIRST_MICROS = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""`0001-01-01T00:00:00Z`; Katib writes it where it knows no time."""
LAST_MICROS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""`9999-12-31T23:59:59.999999Z`."""


def is_rfc3339(text: str) -> bool:
    """Say whether the whole text is a time stamp that `to_micros` takes."""
    return _micros(text) is not None


def to_micros(text: str) -> int:
    """Return the microseconds since 1970 in UTC; what is finer is cut off, towards the past.

    Raises:
        UserError: the text is no RFC 3339 time stamp.
    """
    micros = _micros(text)
    if micros is None:
        raise UserError(
            f"{quoted(text)} is no RFC 3339 time stamp;"
            " write date, T, time and zone as in 2026-01-31T12:00:00.5Z"
        )
    return micros


def from_micros(micros: int) -> str:
    """Return the time stamp in UTC, with `Z` and without the zeros at the fraction's end.

    Raises:
        UserError: the moment is not in the years 0001 to 9999.
    """
    if not FIRST_MICROS <= micros <= LAST_MICROS:
        raise UserError(
            f"{micros} microseconds since 1970 are not in the years 0001 to 9999;"
            " correct the clock or the unit that gave this number"
        )
    text = (_NAIVE_EPOCH + timedelta(0, 0, micros)).isoformat()
    return f"{text.rstrip('0')}Z" if micros % 1_000_000 else f"{text}Z"


def _micros(text: str) -> int | None:
    if _SHAPE.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)  # digits after the sixth are cut off
    except ValueError:
        return None  # the 30th of February, or the year 0000
    micros = (moment - _EPOCH) // _MICROSECOND
    return micros if FIRST_MICROS <= micros <= LAST_MICROS else None
