"""What comes out of a log, and the count of what did not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from api.metric_values import finite
from filters.numbers import all_finite


class Found(NamedTuple):
    """One value of one metric, and where in the log it stands.

    A `NamedTuple`, not a dataclass: a log gives millions, and a frozen dataclass costs three
    times as much to make.
    """

    name: str
    """The metric's name, one of those asked for."""
    value: str
    """The value as the trainer wrote it; of `1,234.5` the grouping commas are left out."""
    timestamp: str | None
    """RFC 3339 text from the line itself, or None where the line has none."""
    line: int
    """The line's number in the stream, from 1."""
    start: int
    """Offset in the stream of the line's first byte."""
    end: int
    """Offset in the stream behind the line's last byte, its terminator not counted."""


@dataclass(slots=True)
class Tally:
    """What was read, and everything that was passed over, by reason. It only ever grows."""

    bytes: int = 0
    lines: int = 0
    points: int = 0
    by_metric: dict[str, int] = field(default_factory=dict)
    not_finite: int = 0
    """Points whose value is `nan`, infinite or no number: history, never an objective."""
    without_number: int = 0
    """Places that name a metric with no number behind it, such as `loss=` or `loss: high`."""
    cut_lines: int = 0
    """Pieces that a line longer than the limit was cut into, the last one not counted."""
    not_json: int = 0
    """Lines of a JSON log that are no JSON object."""
    wrong_type: int = 0
    """Metrics of a JSON object whose value is neither a number nor a string."""
    timed_out: int = 0
    """Lines on which a pattern outside RE2 ran out of its time."""

    def count(self, found: list[Found]) -> None:
        """Add points to `points`, `by_metric` and `not_finite`."""
        self.points += len(found)
        for name, count in Counter(map(_NAME, found)).items():
            self.by_metric[name] = self.by_metric.get(name, 0) + count
        if not all_finite(map(_VALUE, found)):
            self.not_finite += sum(finite(point.value) is None for point in found)


_NAME, _VALUE = itemgetter(0), itemgetter(1)
