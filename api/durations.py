"""Durations as Go's flags write them: `1s`, `1m30s`, `250ms`, `1.5h`, `0`."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from api.errors import UserError
from api.faults import quoted

_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,  # the micro sign
    "μs": 10**3,  # the Greek letter: both are in use, and Go accepts both
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"([0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(ns|us|µs|μs|ms|s|m|h)")
_WHOLE = re.compile(rf"[+-]?(?:0|(?:{_PART.pattern})+)")
_MOST_NANOSECONDS = 2**63 - 1
_LONGEST_TEXT = 200
_MILLISECOND, _SECOND, _MINUTE = 1_000, 1_000_000, 60_000_000  # microseconds

LONGEST = timedelta(microseconds=_MOST_NANOSECONDS // 1_000)
"""The longest duration that Go can represent, about 292 years."""


def parse_duration(text: str) -> timedelta:
    """Read a duration, rounded towards zero to microseconds.

    Raises:
        UserError: the text is not a duration, or the duration is longer than 292 years.
    """
    if len(text) > _LONGEST_TEXT or _WHOLE.fullmatch(text) is None:
        raise UserError(
            f"{quoted(text)} is not a duration;"
            " write numbers with units (h, m, s, ms, us, ns), such as 250ms, 1s or 1m30s"
        )
    parts = _PART.findall(text)
    nanoseconds = sum(int(Decimal(number) * _NANOSECONDS[unit]) for number, unit in parts)
    if nanoseconds > _MOST_NANOSECONDS:
        raise UserError(f"{quoted(text)} is longer than 292 years; write a shorter duration")
    duration = timedelta(microseconds=nanoseconds // 1_000)
    return -duration if text.startswith("-") else duration


def render_duration(duration: timedelta) -> str:
    """Write a duration as Go does: `1m30s`, `250ms`, `1h0m0s`, `0s`.

    `parse_duration` reads the text back as the same duration, up to LONGEST.
    """
    micros = duration // timedelta(microseconds=1)
    sign = "-" if micros < 0 else ""
    micros = abs(micros)
    if micros == 0:
        return "0s"
    if micros < _MILLISECOND:
        return f"{sign}{micros}µs"
    if micros < _SECOND:
        return f"{sign}{_decimal(micros, _MILLISECOND)}ms"
    minutes, micros = divmod(micros, _MINUTE)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(micros, _SECOND)}s"
    if minutes or hours:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(count: int, of: int) -> str:
    """Write count/of as a decimal without trailing zeros; `of` is a power of ten."""
    whole, rest = divmod(count, of)
    return f"{whole}.{rest:0{len(str(of)) - 1}d}".rstrip("0") if rest else str(whole)
