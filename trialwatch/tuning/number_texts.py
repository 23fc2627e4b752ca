"""Numbers as users write them on a command line: `5`, `0.1`, `.1`, `1e-3`, `-2`."""

from __future__ import annotations

import math
import re
from typing import Final

NUMBER: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A pattern without groups."""
_NUMBER = re.compile(NUMBER)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_LONGEST = 300
"""The most characters of a number; Python refuses to convert very long ones."""


def is_number(text: str) -> bool:
    """Return whether a text is a finite number."""
    return len(text) <= _LONGEST and bool(_NUMBER.fullmatch(text)) and math.isfinite(float(text))


def look_whole(*texts: str) -> bool:
    """Return whether all texts have digits only; "" counts as left out."""
    return all(_WHOLE.fullmatch(text) for text in texts if text)
