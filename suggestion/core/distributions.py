"""The four distributions over a range, as quantiles.

`RangeDistribution` converts a share u of [0, 1] to a number and back: `number(u)` is the number
below which a share u of all samples lies. So every search works on the unit interval.

| distribution | density |
|---|---|
| uniform, or none | equal over the range |
| logUniform | equal over the logarithms of the range |
| normal | normal around the middle; a sixth of the range is one standard deviation |
| logNormal | the same over the logarithms |

The normal distributions are cut off at the ends of the range, three standard deviations from the
middle, so no sample lies outside of the range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from api.types import Distribution

_LOGARITHMIC = frozenset({Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL})
_NORMAL = frozenset({Distribution.NORMAL, Distribution.LOG_NORMAL})
_BELL = NormalDist()
_DEVIATIONS = 3.0
"""From the middle of a normal range to its ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeDistribution:
    """A distribution over [low, high]; both are finite, and above 0 if it is logarithmic."""

    kind: Distribution
    low: float
    high: float

    @property
    def is_uniform(self) -> bool:
        """Whether equal parts of the range are equally likely: the distribution is uniform."""
        return self.kind not in _LOGARITHMIC | _NORMAL

    def number(self, share: float) -> float:
        """Return the number below which this share (0 to 1) of all samples lies."""
        if self.kind in _NORMAL:
            tail = _BELL.cdf(-_DEVIATIONS)
            deviation = _BELL.inv_cdf(tail + share * (1 - 2 * tail))
            share = (deviation / _DEVIATIONS + 1) / 2
        if self.kind in _LOGARITHMIC:
            low, high = math.log(self.low), math.log(self.high)
            return self._within(math.exp(low + share * (high - low)))
        # Not low + share * (high - low): the difference of two finite numbers may be infinite.
        return self._within(self.low * (1 - share) + self.high * share)

    def share(self, number: float) -> float:
        """Return the share of samples below a number; a number outside counts as the nearer end."""
        number = self._within(number)
        if self.low == self.high:
            return 0.5
        low, high = self.low, self.high
        if self.kind in _LOGARITHMIC:
            low, high, number = math.log(low), math.log(high), math.log(number)
        # Halves, for the same reason as in `number`.
        share = (number / 2 - low / 2) / (high / 2 - low / 2)
        if self.kind in _NORMAL:
            tail = _BELL.cdf(-_DEVIATIONS)
            share = (_BELL.cdf((2 * share - 1) * _DEVIATIONS) - tail) / (1 - 2 * tail)
        return min(max(share, 0.0), 1.0)

    def _within(self, number: float) -> float:
        return min(max(number, self.low), self.high)
