r"""Numbers as training code prints them.

| text                      | read as      | reason                                           |
|---------------------------|--------------|--------------------------------------------------|
| `0.5` `.5` `-7.53e-05` `1E0` | itself    | Katib's own pattern matches these                |
| `1.` at a sentence's end  | `1`          | the full stop does not belong to the number      |
| `1.e-05`                  | itself       | NumPy prints such numbers                        |
| `1,234.5`                 | `1234.5`     | grouped by threes, the first digit not 0         |
| `0,35` `1,2`              | no number    | a decimal comma or a list: a guess would be wrong|
| `0:00:12` `1.2.3` `2026-11-23` `0x1f` | no number | a clock, a version, a date, an address  |
| `10%\|██` after a colon | no number    | a progress bar                                   |
| `nan` `-inf` `Infinity`   | itself       | stored, but never an objective                   |
| `95%` `47ms` `2.78G`      | the number   | the unit does not belong to the number           |
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBER = (
    rb"[+-]?+(?:"
    rb"(?!0[xX])(?:[1-9]\d{0,2}+(?:,\d{3}(?!\d))++(?:\.\d++)?+(?!,\d)"
    rb"|\d++(?:\.\d++|\.(?=[eE][+-]?\d)|(?!,\d))"
    rb"|\.\d++)"
    rb"(?:[eE][+-]?\d++)?+(?![.:]\d|-\d\d?-|%\|)"
    rb"|(?:[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?+)(?!\w))"
)
"""A pattern for `re` over bytes, without groups. It takes linear time on every text."""

DECIMAL = (
    rb"[+-]?+(?:(?:\d++\.\d++|\.\d++)(?:[eE][+-]?\d++)?+|\d++\.?+[eE][+-]?\d++"
    rb"|[nN][aA][nN]|[iI][nN][fF])(?![\w.,:])"
)
"""A number that cannot be a count of things: it has a fraction or an exponent."""


def plain(number: bytes) -> str:
    """Return the text of a match of `NUMBER` without its grouping commas."""
    text = number.decode("ascii")
    return text.replace(",", "") if "," in text else text


def all_finite(values: Iterable[str]) -> bool:
    """Return True only if each value is a finite number; one pass in C over many values.

    A sum is finite only if each term is. False may also mean that the sum overflowed: then the
    caller must check each value.
    """
    texts = list(values)
    try:
        return math.isfinite(sum(map(float, texts))) and "_" not in "".join(texts)
    except ValueError:
        return False
