"""Which texts are finite numbers: only these count for the minimum and maximum of a metric."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

PATTERN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""A decimal number as Go's `ParseFloat` reads it: no blanks, no `_`, no hexadecimal digits. Python,
PostgreSQL, MariaDB and MySQL read this pattern alike."""

USUAL = r"[+-]?[0-9]+[.]?[0-9]*"
"""The form of nearly all numbers. Up to `USUAL_LENGTH` characters, every database reads them
correctly without the checks that other numbers need."""
USUAL_LENGTH = 24
"""Characters."""

LONGEST = 1_000
"""Characters of a number. A longer text does not count as a number, because some databases cannot
read it."""

_decimal = re.compile(PATTERN).fullmatch
_only_of_decimals = re.compile(r"[0-9.eE+-]*").fullmatch
"""For texts of these characters only, Python's `float` accepts exactly what `PATTERN` accepts."""


def number_of(text: str) -> float | None:
    """Return the number; None if the text is not a number, or the number is not finite."""
    if len(text) > LONGEST or not _decimal(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def numbers_of(texts: Sequence[str]) -> list[float | None]:
    """Return `number_of` each text; faster if every text is a number."""
    try:
        if max(map(len, texts), default=0) <= LONGEST and _only_of_decimals("".join(texts)):
            numbers: list[float | None] = [*map(float, texts)]
            if all(map(math.isfinite, numbers)):  # type: ignore[arg-type]  # none is None yet
                return numbers
    except ValueError:
        pass
    return [number_of(text) for text in texts]
