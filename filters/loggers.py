"""Lines of fairseq, whose logger says which data a metric is of: `| INFO | train | loss 4.2`.

| name | counts in the lines of |
|---|---|
| `train_loss`, `train_inner_loss`, `valid_loss` | the logger `train`, `train_inner`, `valid` |
| `loss` | all loggers but `train` and `train_inner` |

These are fairseq's own names in JSON and TensorBoard. The bare name is that of its
`--best-checkpoint-metric`, which is of the validation.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from filters.name_matcher import NameMatcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filters.name_matcher import Mention

_SIGN = b" | INFO | "
_LINE = re.compile(
    rb"^.{0,60}?[ ]\|[ ]INFO[ ]\|[ ](train|train_inner|valid\w*|test\w*)[ ]\|[ ].*$", re.MULTILINE
)
_TRAINING = (b"train", b"train_inner")
_NAMED = re.compile(r"(train_inner|train|valid\w*?|test\w*?)_(.+)")


class Loggers:
    """Finds the metrics of such lines by their names, such as `train_loss` and `loss`."""

    def __init__(self, names: Iterable[str]) -> None:
        """Take the metric names."""
        named = filter(None, map(_NAMED.fullmatch, names))
        self._names = {(found[1].encode(), found[2]): found[0] for found in named}
        self._rest = NameMatcher(dict.fromkeys(rest for _, rest in self._names))

    def applied(self, text: bytes, mentions: list[Mention]) -> list[Mention]:
        """Return a region's mentions without the bare names of training, and with whole names.

        Costs one search for a short text where no line is of fairseq.
        """
        if _SIGN not in text:
            return mentions
        lines = [(found.start(), found.end(), found[1]) for found in _LINE.finditer(text)]
        if not lines:
            return mentions
        whole: dict[tuple[int, int], Mention] = {}
        for start, minus_end, rest, number in self._rest.mentions(text) if self._names else ():
            name = self._names.get((_logger_at(lines, start), rest))
            if name is not None:
                # One byte behind the bare name, which is also a metric, so neither is in the other.
                whole[start, minus_end] = (start + 1, minus_end, name, number)
        kept = [
            (start, -start - 1 if (start, minus_end) in whole else minus_end, name, number)
            for start, minus_end, name, number in mentions
            if _logger_at(lines, start) not in _TRAINING
        ]
        return sorted((*kept, *whole.values()))


def logger_of(text: bytes, place: int) -> str:
    """Return the logger of the line with a place, such as `train`; "" if it has none."""
    start = text.rfind(b"\n", 0, place) + 1
    end = text.find(b"\n", place)
    found = _LINE.match(text[start : end if end >= 0 else len(text)])
    return found[1].decode() if found else ""


def _logger_at(lines: Sequence[tuple[int, int, bytes]], place: int) -> bytes:
    index = bisect_right(lines, place, key=lambda line: line[0]) - 1
    return lines[index][2] if index >= 0 and place < lines[index][1] else b""
