"""One axis of the parallel coordinates: the positions of values, and the labels.

Positions go from 0 at the bottom to 1 at the top. A parameter with a logarithmic distribution has a
logarithmic axis. The entries of a list have equal distances, in the order of the list.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from api.metric_values import finite
from api.types import Distribution, ParameterSpec, ParameterType
from ui.model.formatting import cut

NOWHERE = -0.12
"""The position of a trial without a value."""

_LOGARITHMIC = (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL)
_LISTS = (ParameterType.CATEGORICAL, ParameterType.DISCRETE)
_MOST_TICKS = 12
_LABEL = 18
"""The most characters of a tick's label."""
_WIDE = 1000.0
"""If the largest objective is this many times the smallest, the axis is logarithmic."""

Tick = tuple[float, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The entries of a list."""

    entries: tuple[str, ...]

    def position(self, text: str) -> float | None:
        """Return the position of a value; None if it is not on this axis."""
        if text not in self.entries:
            return None
        return _share(self.entries.index(text), 0, len(self.entries) - 1)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """All entries, or some of them if there are many."""
        step = math.ceil(len(self.entries) / _MOST_TICKS) or 1
        last = len(self.entries) - 1
        shown = list(enumerate(self.entries))[::step]
        return tuple((_share(i, 0, last), cut(entry, _LABEL)) for i, entry in shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A range of numbers."""

    low: float
    high: float
    logarithmic: bool = False
    whole: bool = False

    def position(self, text: str) -> float | None:
        """Return the position of a value; None if it is not on this axis."""
        number = finite(text)
        return None if number is None else self.place(number)

    def place(self, number: float) -> float | None:
        """Return the position of a number; None if it is not on this axis."""
        if not self.low <= number <= self.high:
            return None
        if self.logarithmic:
            return _share(math.log(number), math.log(self.low), math.log(self.high))
        return _share(number, self.low, self.high)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Both ends, and round numbers between them."""
        numbers = _decades(self.low, self.high) if self.logarithmic else self._steps()
        inner = [number for number in numbers if self.low <= number <= self.high]
        places = [(self.place(number), number) for number in inner]
        ends = [(self.place(end), end) for end in (self.low, self.high)]
        # The label of a round number close to an end would overlap the label of the end.
        apart = [
            (place, number)
            for place, number in places
            if place is not None and all(e is None or abs(place - e) > 1 / 16 for e, _ in ends)
        ]
        every = sorted({(place, number) for place, number in [*ends, *apart] if place is not None})
        return tuple((place, f"{number:.6g}") for place, number in every)

    def _steps(self) -> Sequence[float]:
        step = _round((self.high - self.low) / 5)
        if self.whole:
            step = max(1.0, float(round(step)))
        if not step:
            return ()
        first = math.ceil(self.low / step)
        return [index * step for index in range(first, math.floor(self.high / step) + 1)]


Axis = Listed | Range


def axis_of(spec: ParameterSpec) -> Axis:
    """Build a parameter's axis; if the bounds are not numbers, the axis has no positions."""
    space = spec.space
    if spec.type in _LISTS:
        return Listed(entries=tuple(dict.fromkeys(space.list)))
    low, high = finite(space.min), finite(space.max)
    if low is None or high is None:
        return Listed(entries=())
    return Range(
        low=low,
        high=high,
        logarithmic=space.distribution in _LOGARITHMIC and low > 0,
        whole=spec.type is ParameterType.INT,
    )


def axis_over(values: Sequence[float]) -> Range:
    """Build the objective's axis over the observed values."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return Range(low=low, high=high, logarithmic=low > 0 and high / low > _WIDE)


def _share(number: float, low: float, high: float) -> float:
    return 0.5 if high == low else (number - low) / (high - low)


def _round(step: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, ... that is not less than `step`."""
    if step <= 0 or not math.isfinite(step):
        return 0.0
    scale = 10.0 ** math.floor(math.log10(step))
    return next(scale * digit for digit in (1, 2, 5, 10) if scale * digit >= step * (1 - 1e-9))


def _decades(low: float, high: float) -> Sequence[float]:
    """Return powers of ten; if there are few, also their multiples by 2 and 5."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    digits = (1, 2, 5) if last - first <= 2 else (1,)  # noqa: PLR2004 - two decades
    step = max(1, math.ceil((last - first) / _MOST_TICKS))
    return [float(f"{digit}e{power}") for power in range(first, last + 1, step) for digit in digits]
