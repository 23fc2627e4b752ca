"""Values, durations and choices in few characters."""

from __future__ import annotations

from collections.abc import Iterable

from api.faults import visible
from api.metric_values import finite
from api.types import Assignment

_SHORT = 8
"""A number of so many characters stays as it was written."""
_LONGEST = 40


def number(text: str) -> str:
    """Shorten a long number to four digits; cut any other text that is long."""
    value = finite(text)
    if value is None or len(text) <= _SHORT:
        return cut(text)
    return f"{value:.4g}" if not text.isdigit() else text


def cut(text: str, most: int = _LONGEST) -> str:
    """Show a text in one line: what does not print is escaped, what is too long loses its end."""
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
