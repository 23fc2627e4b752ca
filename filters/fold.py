"""Many points of a metric, folded to a few values that say what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from api.metric_values import finite
from filters.points import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """One metric's points. Texts are those of points; the smallest and largest are finite."""

    count: int
    first: str
    last: str
    minimum: str | None = None
    """None where no value was a finite number."""
    maximum: str | None = None

    def with_value(self, value: str) -> Folded:
        """Return the fold with one more value behind the others; of equal ones the first stays."""
        number = finite(value)
        low, high = self.minimum, self.maximum
        if number is not None:
            low = value if low is None or number < float(low) else low
            high = value if high is None or number > float(high) else high
        return replace(self, count=self.count + 1, last=value, minimum=low, maximum=high)


def fold(points: Iterable[Found], before: dict[str, Folded]) -> dict[str, Folded]:
    """Return, by metric, what `before` says with these points added, in their order."""
    folded = dict(before)
    for point in points:
        known = folded.get(point.name) or Folded(count=0, first=point.value, last=point.value)
        folded[point.name] = known.with_value(point.value)
    return folded
