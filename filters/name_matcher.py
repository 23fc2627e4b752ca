r"""The matcher for logs without a `metricsFormat`: the metrics' names are all it needs.

There is one pattern for each name, and it begins with the name itself. So `re` searches the text
for a literal, and tries the rest only where the name stands. (With an alternation of names, or a
look-behind first, the search is ten times slower, as bench measures.) A name and its number match
with these parts around them:

| part             | matches                                       | does not match             |
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
_NOT_A_KEY = rb"(?!\][ \t]*+=)"
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
    + _NOT_A_KEY
    + rb"|(?<=[ \t])("
    + DECIMAL
    + rb")))?+"
)
# Signs that the name is part of a longer one. The look-behinds follow the name, see above.
_LONGER_ON_THE_LEFT = (rb"[\w-]", rb"\w[./]", rb"@\[")
_LONGER_ON_THE_RIGHT = rb"(?![\w-])"


Mention: TypeAlias = "tuple[int, int, str, bytes | None]"
"""A place that names a metric: start, minus the end (so that the longer of two sorts first), the
name, and the text of the number behind it, or None. It is a bare tuple: there is one for each
point, and making and sorting them is half of the work on a log full of metrics."""


class NameMatcher:
    """Finds `name=number`, and other forms of it, in the whole text of a region at once."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the metric names as the training prints them."""
        self._searches = [(name, _pattern(name.encode()).finditer) for name in names]

    def mentions(self, text: bytes) -> list[Mention]:
        """Return all mentions in `text`, left to right; some lie inside the previous one."""
        mentions: list[Mention] = []
        for name, search in self._searches:
            mentions += [(m.start(), -m.end(), name, m[1] or m[2]) for m in search(text)]
        if len(self._searches) > 1:
            mentions.sort()
        return mentions


def _pattern(name: bytes) -> re.Pattern[bytes]:
    literal = re.escape(name)
    alone = b"".join(b"(?<!" + left + literal + b")" for left in _LONGER_ON_THE_LEFT)
    return re.compile(literal + alone + _LONGER_ON_THE_RIGHT + _VALUE)
