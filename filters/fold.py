"""Folds all points of a metric into count, first, last, minimum and maximum."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from api.metric_values import finite
from filters.points import ExtractedPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """One metric's points in short. Each text is a point's own; minimum and maximum are finite."""

    count: int
    first: str
    last: str
    minimum: str | None = None
    """None where no value is a finite number; the same holds for `maximum`."""
    maximum: str | None = None

    def with_value(self, value: str) -> Folded:
        """Return the fold with one more value at the end; of equal values the first one stays."""
        number = finite(value)
        low, high = self.minimum, self.maximum
        if number is not None:
            low = value if low is None or number < float(low) else low
            high = value if high is None or number > float(high) else high
        return replace(self, count=self.count + 1, last=value, minimum=low, maximum=high)


def fold(points: Iterable[ExtractedPoint], before: dict[str, Folded]) -> dict[str, Folded]:
    """Add points, in their order, to the folds in `before`; return the new folds, by metric."""
    folded = dict(before)
    for point in points:
        old = folded.get(point.name) or Folded(count=0, first=point.value, last=point.value)
        folded[point.name] = old.with_value(point.value)
    return folded
