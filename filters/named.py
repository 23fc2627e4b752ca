r"""The matcher for logs without a `metricsFormat`: it knows only the metrics' names.

For each name one pattern, which begins with the name itself: `re` then runs through the text at
the speed of its literal search and tries the rest only where the name stands. (An alternation of
names, or a look-behind first, costs that: ten times slower, measured in bench.) What may stand
around a name and its number:

| part             | taken                                         | not taken: another name    |
|------------------|-----------------------------------------------|----------------------------|
| before           | a line's start, blanks, quotes, brackets, `:` | `val_loss` `val-loss`      |
|                  |                                               | `val/loss` `val.loss`      |
| behind           | up to three closing quotes or brackets        | `loss_sum` `loss/val`      |
| between          | `=` `:` `:=` `=>` `->` `\|`, blanks around it  | `==`                       |
|                  | blanks alone, before a number with a fraction |                            |
| before the value | a quote, `[`, `(`, `tensor(`, `np.float64(`   |                            |
| value            | see `filters.numbers`                         | words, clocks, dates, bars |
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from filters.numbers import DECIMAL, NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterable

_BLANKS = rb"[ \t\f]*+"
_CLOSERS = rb"(?:\\{0,2}[\"'`*)\]}>]){0,3}+"
_BETWEEN = rb"(?::=?|=>?|->|\||\xe2\x94\x82)(?!=)"
_TYPE = rb"(?:(?:[a-z]{1,8}\.)?(?:float\d{0,3}|bfloat16|tensor|[Aa]rray|Decimal)\()?+"
_OPENERS = rb"(?:\\{0,2}[\"'\[(]){0,2}+" + _BLANKS
_NO_NAME_OF_OTHERS = rb"(?!\][ \t]*+=)"
_VALUE = (
    rb"(?:"
    + _CLOSERS
    + _BLANKS
    + rb"(?:"
    + _BETWEEN
    + _BLANKS
    + _TYPE
    + _OPENERS
    + rb"("
    + NUMBER
    + rb")"
    + _NO_NAME_OF_OTHERS
    + rb"|(?<=[ \t])("
    + DECIMAL
    + rb")))?+"
)
# What makes the name a part of a longer one. The look-behinds stand after the name, see above.
_LONGER_ON_THE_LEFT = (rb"[\w-]", rb"\w[./]", rb"@\[")
_LONGER_ON_THE_RIGHT = rb"(?![\w-])"


Mention: TypeAlias = "tuple[int, int, str, bytes | None]"
"""Where a metric is named: start, minus the end (so that sorting puts the longer of two first),
the name, and the text of the number behind it, if there is one. A bare tuple, for there is one per
point, and making and sorting them is half of the work on a log full of metrics."""


class NamedMatcher:
    """Finds `name=number`, and what means the same, in the whole text of a region at once."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the metric names, as they are printed."""
        self._searches = [(name, _pattern(name.encode()).finditer) for name in names]

    def mentions(self, text: bytes) -> list[Mention]:
        """Return all mentions in `text`, left to right; some may lie inside the one before."""
        found: list[Mention] = []
        for name, search in self._searches:
            found += [(m.start(), -m.end(), name, m[1] or m[2]) for m in search(text)]
        if len(self._searches) > 1:
            found.sort()
        return found


def _pattern(name: bytes) -> re.Pattern[bytes]:
    literal = re.escape(name)
    alone = b"".join(b"(?<!" + left + literal + b")" for left in _LONGER_ON_THE_LEFT)
    return re.compile(literal + alone + _LONGER_ON_THE_RIGHT + _VALUE)
