r"""Numbers as training code prints them.

| text                      | read as      | reason                                           |
|---------------------------|--------------|--------------------------------------------------|
| `0.5` `.5` `-7.53e-05` `1E0` | itself    | Katib's own pattern matches these                |
| `1.` at a sentence's end  | `1`          | the full stop does not belong to the number      |
| `1.e-05`                  | itself       | NumPy prints such numbers                        |
| `1,234.5` `1_234.5`       | `1234.5`     | grouped by threes, the first digit not 0         |
| `0,35` `1,2`              | no number    | a decimal comma or a list: a guess would be wrong|
| `0:00:12` `1.2.3` `2026-11-23` `0x1f` `3f9a2b` | no number | a clock, a version, a date, a hash |
| `100%\|██` `100% ━━` `10% [==>  ]` | no number | a progress bar                             |
| `3/10` `0.3-0.5` `0.5 -> 0.3` | no number | a fraction, a range, a change                   |
| `1.2k` `2.78G`            | no number    | the letter scales the number                     |
| `nan` `-inf` `Infinity`   | itself       | stored, but never an objective                   |
| `95%` `47ms`              | the number   | the unit does not belong to the number           |
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_BAR = (
    # Blocks, horizontal lines, squares, Braille; no vertical line, because tables have those.
    rb"(?:\xe2(?:\x94[\x80\x81]|\x95[\xb4-\xbf]|[\x96\x97\xa0-\xa3])"
    rb"|\[(?:[=#>.*\- ]{2}|>|\xe2|\d++/\d)|={2}|\#{2}|-{5}|\|(?:[#=>\xe2]|[ ]{6})"
    rb"|\d++/\d|\(\d++[ ]of[ ]\d|(?:complete|done|[eE][tT][aA])\b)"
)
PROGRESS = rb"[ \t]?%(?:\||[ \t]*+" + _BAR + rb")"
"""A pattern for what follows a number that is only the percentage of a progress bar."""

_NOT_BEHIND = (
    # First what usually follows, because it is quickly seen.
    rb"(?:(?=[ \t][A-Za-np-su-z]|[,)\]}'\"\n])|(?!"
    rb"\.{0,3}+\d|\.[A-Za-z_]\w|:\d|-[\w.]|/\d|[kKMGTB](?![A-Za-z])|[defgn]\}"
    rb"|(?!f(?:0|16|32|64)\b)[A-Za-z][A-Za-z_]{0,16}+\d|it[ ]?\[|"
    + PROGRESS
    + rb"|[ \t]++(?:/[ \t]*+\d|(?:out[ ])?of[ ]\d|(?:->|=>|\xe2\x86\x92|to\b)[ \t]*+[-+.\d]"
    rb"|[*^][ \t]*+[\w(]|\+[ \t]*+[A-Za-z_(])))"
)
"""What must not follow a number: then the number is only a part of something else."""

NUMBER = (
    rb"[+-]?+(?:"
    rb"(?!0[xX])(?:[1-9]\d{0,2}+(?>(?:,\d{3}(?![\d_]))+)(?>(?:\.\d++)?)(?!,\d)"
    rb"|[1-9]\d{0,2}+(?>(?:_\d{3}(?![\d,]))+)(?>(?:\.\d++)?)(?!_\d)"
    rb"|\d++(?:\.\d++|\.(?=[eE][+-]?\d)|(?![,_]\d))"
    rb"|\.\d++)"
    rb"(?>(?:[eE][+-]?\d++)?)"
    rb"|(?:[nN][aA][nN]|[iI][nN][fF](?>(?:[iI][nN][iI][tT][yY])?))(?!\w))" + _NOT_BEHIND
)
"""A pattern for `re` over bytes, without groups. It takes linear time on every text."""

DECIMAL = (
    rb"[+-]?+(?:(?:\d++\.\d++|\.\d++)(?>(?:[eE][+-]?\d++)?)|\d++\.?+[eE][+-]?\d++"
    rb"|[nN][aA][nN]|[iI][nN][fF])(?![\w:]|[.,]\d)" + _NOT_BEHIND
)
"""A number that cannot be a count of things: it has a fraction or an exponent."""


def plain(number: bytes) -> str:
    """Return the text of a match of `NUMBER` without its grouping commas and underscores."""
    text = number.decode("ascii")
    if "," in text:
        return text.replace(",", "")
    return text.replace("_", "") if "_" in text else text


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
