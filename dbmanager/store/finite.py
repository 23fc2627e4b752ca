"""Which texts are finite numbers, for the smallest and the largest value of a metric."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

PATTERN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
"""A decimal number as Go's `ParseFloat` reads it: no blanks, no `_`, no hexadecimal digits. It is
written so that Python, PostgreSQL, MariaDB and MySQL read it alike."""

USUAL = r"[+-]?[0-9]+[.]?[0-9]*"
"""How nearly all numbers are written: up to `USUAL_LENGTH` characters any database reads them as
they are, and need not be asked all that other numbers need."""
USUAL_LENGTH = 24

LONGEST = 1_000
"""Characters of a number; what is longer is none, since some database would not read it."""

_decimal = re.compile(PATTERN).fullmatch
_only_of_decimals = re.compile(r"[0-9.eE+-]*").fullmatch
"""Of such characters Python's `float` takes what `PATTERN` takes, and nothing else."""


def number_of(text: str) -> float | None:
    """Return the number; None where the text is none, or where the number is not finite."""
    if len(text) > LONGEST or not _decimal(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def numbers_of(texts: Sequence[str]) -> list[float | None]:
    """Return the numbers of many texts, faster where each is one."""
    try:
        if max(map(len, texts), default=0) <= LONGEST and _only_of_decimals("".join(texts)):
            numbers: list[float | None] = [*map(float, texts)]
            if all(map(math.isfinite, numbers)):  # type: ignore[arg-type]  # none is None yet
                return numbers
    except ValueError:
        pass
    return [number_of(text) for text in texts]
