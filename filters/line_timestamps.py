"""Time stamps in a line: RFC 3339 at its start, or seconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from api.timestamps import is_rfc3339

# The token before a line's first space. A group takes part where the calendar must decide: in the
# first and the last year, which an offset may leave, and on days that some months lack. The usual
# dates, and a time without a fraction, have short alternatives of their own.
_STAMP = re.compile(
    rb"(?:[12]\d\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
    rb"|(?!0000)(?:(0001|9999)|\d{4})-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8]|(29|3[01])))"
    rb"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    rb"(?:Z|(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))(?= )"
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECOND = Decimal("1e-9")


def head_stamp(text: bytes, start: int) -> str | None:
    """Return the RFC 3339 time stamp at the start of the line that begins at `start`, or None.

    As in Katib, it is the token before the line's first space, verbatim, with upper-case `T` and
    `Z`.
    """
    match = _STAMP.match(text, start)
    if match is None:
        return None
    stamp = match[0].decode("ascii")
    return stamp if match.lastindex is None or is_rfc3339(stamp) else None


def epoch_stamp(seconds: str) -> str | None:
    """Turn seconds since 1970, a decimal text, into RFC 3339 in UTC; None out of years 1-9999.

    The fraction is exact to the nanosecond: `1.5` is 1970-01-01T00:00:01.5Z.
    """
    try:
        moment = Decimal(seconds)
        if not moment.is_finite() or abs(moment) > 10**12:
            return None
        moment = moment.quantize(_NANOSECOND)
        whole = int(moment // 1) - (1 if moment % 1 < 0 else 0)
        base = _EPOCH + timedelta(seconds=whole)
    except (InvalidOperation, OverflowError):
        return None
    nanoseconds = int((moment - whole) * 1_000_000_000)
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    return f"{base:%Y-%m-%dT%H:%M:%S}{fraction}Z".rjust(20 + len(fraction), "0")
