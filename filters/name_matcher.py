r"""The matcher for logs without a `metricsFormat`: the metrics' names are all it needs.

There is one pattern for each name, and it begins with the name itself. So `re` searches the text
for a literal, and tries the rest only where the name stands. (With an alternation of names, or a
look-behind first, the search is ten times slower, as bench measures.) Where it stands, the usual
forms such as `loss=0.5,` are tried first. A name and its number match with these parts around them:

| part             | matches                                       | does not match             |
|------------------|-----------------------------------------------|----------------------------|
| before           | a line's start, blanks, quotes, brackets, `:` | `val_loss` `val-loss`      |
|                  |                                               | `val/loss` `val.loss`      |
|                  | most words, such as `final loss`              | `val loss` `Adj. R2`       |
| behind           | up to three closing quotes or brackets        | `loss_sum` `loss/val`      |
| between          | `=` `:` `:=` `=>` `->` `\|`, blanks around it  | `==` `>=` `*=`             |
|                  | blanks alone, before a number with a fraction | `loss 0.3 0.4`             |
|                  | `is` or `was`, also before `:`                | `is 0.3 lower`             |
| before the value | a quote, `[`, `(`, `tensor(`, `np.float64(`   |                            |
| value            | see `filters.numbers`                         | words, clocks, dates, bars |
|                  | the percentage of `93/100 (93%)`              | `93/100`                   |

A name that ends in `[mean]` is the mean of the list behind the rest of the name.

An optional group is `(?>(?:...)?)`, which means the same as `(?:...)?+`. Before Python 3.11.5, `re`
loses matches of the latter if the group has alternatives (CPython's issue 106052).
"""

from __future__ import annotations

import re
from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

from filters.numbers import DECIMAL, NUMBER, PROGRESS, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

_BLANKS = rb"[ \t\f]*+"
_CLOSERS = rb"(?>(?:\\{0,2}(?:[\"'`)\]}]|[*>](?!=))){0,3})"
# `{loss:.4f}` is a format, not a value.
_BETWEEN = rb"(?::=?|=>?|->)(?!=|\.\d++[A-Za-z%]?\})"
_BAR = rb"(?:\||\xe2\x94\x82)"
_TYPE = (
    rb"(?>(?:(?:[a-z]{1,8}\.)?(?:float\d{0,3}|bfloat16|tensor|[Aa]rray|Decimal)\(|(?:num|int)[ ])?)"
)
_OPENERS = rb"(?>(?:\\{0,2}[\"'\[(]){0,2})" + _BLANKS
_VERB = rb"(?>(?:(?<=[ \t])(?:is|was)(?![\w-])(?>(?:[ \t]++now\b)?)" + _BLANKS + rb")?)"

_NOT_A_KEY = rb"(?!\][ \t]*+=)"
_LAST_CELL = rb"(?![ \t]*+" + _BAR + rb"[ \t]*+[-+.]?\d)"
_NO_COMPARISON = (
    rb"(?!%?[ \t]++(?:[-+]?\d*\.\d|(?:points?|times|lower|higher|less|more|better|worse|greater"
    rb"|smaller|larger|below|above|than)\b))"
)
_TYPED = _TYPE + _OPENERS + rb"(" + NUMBER + rb")" + _NOT_A_KEY
_PERCENT = rb"\d++/\d++[ ]\((" + NUMBER + rb")%\)"
_WHOLE = rb"([+-]?+\d++)(?=[ \t]?%|[.;!]?[ \t]*+(?:\n|\Z))(?!" + PROGRESS + rb")"

_ASSIGNED = _BETWEEN + _BLANKS + rb"(?:" + _TYPED + rb"|" + _PERCENT + rb")"
_SPACED = (
    rb"(?<=[ \t])(?:" + _TYPE + rb"(" + DECIMAL + rb")" + _NO_COMPARISON
    + rb"|\[" + _TYPE + rb"(" + DECIMAL + rb")(?=\)?+[ \t]*+[,\]])"
    + rb"|(?:(?<=is[ ])|(?<=was[ ]))" + _WHOLE + _NO_COMPARISON + rb")"
)  # fmt: skip
_IN_A_CELL = _BAR + _BLANKS + _TYPED + _LAST_CELL
_VALUE = (
    rb"(?>(?:" + _CLOSERS + _BLANKS + _VERB
    + rb"(?:" + _ASSIGNED + rb"|" + _SPACED + rb"|" + _IN_A_CELL + rb"))?)"
)  # fmt: skip
_LIST = _BLANKS + rb"(?>(?:" + _BETWEEN + rb")?)" + _BLANKS + _TYPE + rb"(\[[^\[\]\n]*+\])"
_ELEMENT = re.compile(_TYPE + rb"(" + NUMBER + rb")\)?")
_SEPARATORS = re.compile(rb"[ \t]*,[ \t]*|[ \t]+")
_MEAN = "[mean]"

# The usual forms, such as ` loss = 0.5,` and `"loss": 0.5}`. They take a small part of the steps of
# all forms, which match the same text: up to the same end, and with the same number.
_USUAL_LEFT = (rb"[^_][^A-Za-z_.'\[][ \t]", rb"..[^\w./\[ \t-]")
"""What precedes the name: alternatives of three bytes each."""
_USUAL_VALUE = rb"[\"']?+[ ]?+[=:][ ]?+(-?+\d++\.\d++)(?=[ ](?:[A-Za-np-su-z|]|-[ ])|[,;)}'\"\n])"

# Signs that the name is part of a longer one. The look-behinds follow the name, see above.
_LONGER_ON_THE_LEFT = (rb"[\w-]", rb"\w[./]", rb"@\[", rb"@\[ ")
_LONGER_ON_THE_RIGHT = rb"(?![\w-])"
_WORDS_ON_THE_LEFT = (rb"[A-Za-z.'][ \t]", rb"_\d[ \t]")
_OTHER_METRICS = (
    *(b"train", b"training", b"learn", b"val", b"valid", b"validation", b"test", b"testing"),
    *(b"eval", b"evaluation", b"dev", b"holdout", b"best", b"worst", b"previous", b"old"),
    *(b"initial", b"target", b"goal", b"baseline", b"min", b"max", b"minimum", b"maximum"),
    *(b"until", b"avg", rb"avg\.", b"average", b"mean", b"median", b"running"),
    *(b"lowest", b"highest", b"std", rb"adj\.", b"adjusted", b"'s", rb"_\d"),
)
"""Words before a name that make it another metric, as `val_loss` is another one than `loss`."""


_COMMON = b" etaoinsr0123456789lhdcupmfgy:.-=,bwvkTILEONASRD"
"""The usual bytes of logs, the most common first."""

Mention: TypeAlias = "tuple[int, int, str, str]"
"""A place that names a metric: start, minus the end (so that the longer of two sorts first), the
name, and the text of the number behind it, or "". It is a bare tuple: there is one for each point,
and making and sorting them is much of the work on a log full of metrics."""


class NameMatcher:
    """Finds `name=number`, and other forms of it, in the whole text of a region at once."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the metric names as the training prints them."""
        names = tuple(names)
        self._searches = [
            (name, _rarest_byte(name.encode()), _pattern(name.encode()).finditer) for name in names
        ]
        self._means = [
            (name, _list_pattern(name.removesuffix(_MEAN).encode()).finditer)
            for name in names
            if name.endswith(_MEAN) and name != _MEAN
        ]

    def mentions(self, text: bytes) -> list[Mention]:
        """Return all mentions in `text`, left to right; some lie inside the previous one."""
        mentions: list[Mention] = []
        for name, rarest, search in self._searches:
            if rarest not in text:  # much quicker than a search for the name
                continue
            mentions += [
                (m.start(), -m.end(), name, m[1].decode() if m.lastindex == 1 else _number(m))
                for m in search(text)
            ]
        for name, search in self._means:
            # At the list's end, so that the list's own name is not inside this mention.
            mentions += [(m.end() - 1, -m.end(), name, _mean(m[1])) for m in search(text)]
        if len(self._searches) > 1:
            mentions.sort()
        return mentions


def _rarest_byte(name: bytes) -> bytes:
    """Return the byte of the name that logs have least often: a sign, else an unusual letter."""
    return bytes([max(name, key=lambda byte: _COMMON.find(byte) % 256)])  # not found: 255


def _pattern(name: bytes) -> re.Pattern[bytes]:
    """Return the pattern for a name; group 1 is the number of a usual form."""
    literal = re.escape(name)
    return re.compile(literal + b"(?:" + _usual_forms(literal) + b"|" + all_forms(literal) + b")")


def _list_pattern(name: bytes) -> re.Pattern[bytes]:
    literal = re.escape(name)
    return re.compile(literal + _alone(literal) + _LIST)


def _usual_forms(literal: bytes) -> bytes:
    """Return a pattern for what is behind a name in the usual forms."""
    return b"(?s:(?<=" + b"|".join(left + literal for left in _USUAL_LEFT) + b"))" + _USUAL_VALUE


def all_forms(literal: bytes) -> bytes:
    """Return a pattern for what is behind a name in all forms, also without a number."""
    return _alone(literal) + _LONGER_ON_THE_RIGHT + _VALUE


def _alone(literal: bytes) -> bytes:
    """Return a pattern for the place behind a name that is not a part of a longer one."""
    unjoined = b"".join(b"(?<!" + left + literal + b")" for left in _LONGER_ON_THE_LEFT)
    others = b"".join(b"(?<!(?i:" + word + b")[ \t]" + literal + b")" for word in _OTHER_METRICS)
    no_word = b"".join(b"(?<!" + left + literal + b")" for left in _WORDS_ON_THE_LEFT)
    return unjoined + b"(?:" + no_word + b"|" + others + b")"


def _number(match: re.Match[bytes]) -> str:
    """Return the text of the number in another form than the usual ones; "" if there is none."""
    return plain(match[match.lastindex]) if match.lastindex else ""


def _mean(numbers: bytes) -> str:
    """Return the mean of a list such as `[0.5, np.float32(0.75)]`; "" if it is not of numbers."""
    elements = [_ELEMENT.fullmatch(element) for element in _SEPARATORS.split(numbers[1:-1].strip())]
    values = [float(plain(element[1])) for element in elements if element]
    return "" if len(values) < len(elements) else f"{fmean(values):.12g}"
