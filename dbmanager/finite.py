"""Which texts are finite numbers, for the smallest and the largest value of a metric."""

from __future__ import annotations

import math
import re

PATTERN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""A decimal number as Go's `ParseFloat` reads it: no blanks, no `_`, no hexadecimal digits. It is
written so that Python, PostgreSQL, MariaDB and MySQL read it alike."""

LONGEST = 1_000
"""Characters of a number; what is longer is none, since some database would not read it."""

_decimal = re.compile(PATTERN).fullmatch


def number_of(text: str) -> float | None:
    """Return the number; None where the text is none, or where the number is not finite."""
    if len(text) > LONGEST or not _decimal(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None
