"""The results of extraction: points, and counters of what was read and skipped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from api.metric_values import finite
from filters.numbers import all_finite


class ExtractedPoint(NamedTuple):
    """One value of one metric, and its place in the log.

    A `NamedTuple`, not a dataclass: a log has millions of points, and a frozen dataclass takes
    three times as long to make.
    """

    name: str
    """The metric's name, as in the `ExtractionSpec`."""
    value: str
    """The value as the trainer wrote it, but without grouping commas (`1,234.5` is `1234.5`)."""
    timestamp: str | None
    """RFC 3339 text from the line itself, or None."""
    line: int
    """The line's number in the stream, from 1."""
    start: int
    """Offset in the stream of the line's first byte."""
    end: int
    """Offset in the stream behind the line's last byte, without its terminator."""
    step: int | None = None
    """The training's own counter at this value, from 0 to `api.report_limits.LARGEST_STEP`; None if
    the log gives none."""


class Damage(NamedTuple):
    """A range of a file that could not be read; it may contain metrics."""

    start: int
    """Offset of its first byte."""
    end: int | None
    """Offset behind its last byte; None where it is unknown."""
    why: str
    """What is wrong at its start."""
    places: int
    """Number of places in this range that could not be read; what is between them was read."""

    def __str__(self) -> str:
        more = self.places - 1
        return self.why + (f"; {more} more places up to here are damaged" if more else "")


@dataclass(slots=True)
class ExtractionCounters:
    """Counts what was read, and what was skipped, by reason. Counters never decrease."""

    bytes: int = 0
    lines: int = 0
    points: int = 0
    by_metric: dict[str, int] = field(default_factory=dict)
    not_finite: int = 0
    """Points whose value is `nan`, infinite or not a number: stored, but never an objective."""
    without_number: int = 0
    """Places that name a metric without a number, such as `loss=` or `loss: high`."""
    doubtful: int = 0
    """Named numbers in code or settings, or of one part of the data (`filters.doubts`)."""
    cut_lines: int = 0
    """Cuts in lines longer than `filters.lines.LONGEST_LINE`."""
    not_json: int = 0
    """Lines of a JSON log that are not JSON objects."""
    wrong_type: int = 0
    """Metrics of a JSON object whose value is neither a number nor a string."""
    timed_out: int = 0
    """Lines that were skipped because a pattern exceeded its bounds there (`filters.pattern`)."""
    damaged: int = 0
    """Records of an event file that could not be read (`filters.event_files.records`)."""

    def count(self, points: list[ExtractedPoint]) -> None:
        """Add points to `points`, `by_metric` and `not_finite`."""
        self.points += len(points)
        for name, count in Counter(map(_NAME, points)).items():
            self.by_metric[name] = self.by_metric.get(name, 0) + count
        if not all_finite(map(_VALUE, points)):
            self.not_finite += sum(finite(point.value) is None for point in points)


_NAME, _VALUE = itemgetter(0), itemgetter(1)
