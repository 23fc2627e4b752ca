"""Short texts for values, durations and parameters."""

from __future__ import annotations

from collections.abc import Iterable

from api.faults import visible
from api.metric_values import finite
from api.types import Assignment

_SHORT = 8
"""Numbers up to this many characters stay as they are."""
_LONGEST = 40


def number(text: str, digits: int = 4) -> str:
    """Round a long number to this many significant digits; cut off any other long text."""
    value = finite(text)
    if value is None or len(text) <= _SHORT:
        return cut(text)
    return f"{value:.{digits}g}" if not text.isdigit() else text


def rounded(text: str) -> str:
    """Round a long number to six digits, so that good values of a metric still differ."""
    return number(text, 6)


def cut(text: str, most: int = _LONGEST) -> str:
    """Return a text in one line: unprintable characters escaped, the end of a long text cut off."""
    plain = visible(text[: most + 1])
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def choice(assignments: Iterable[Assignment], *, short: bool = False) -> str:
    """Write a trial's parameters: `lr=0.01 optimizer=adam`."""
    write = number if short else visible
    return " ".join(f"{visible(a.name)}={write(a.value)}" for a in assignments)


def duration(seconds: float | None) -> str:
    """Write a duration: `7s`, `3m 05s`, `2h 03m`."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


def counted(number: int, thing: str) -> str:
    """Write a count of things: `1 trial`, `2 trials`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
