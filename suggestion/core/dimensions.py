"""One parameter as a search sees it: converts a share of [0, 1] to the value's text, and back.

There are three kinds: a range without steps, a range with steps (1 for whole numbers), a list. The
trial's template gets the text: `repr` of a float, an integer's digits, or the entry of the list as
written. Steps start at `min` and are counted in exact fractions: 0.1 in steps of 0.1 gives 0.3, not
0.30000000000000004.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from api.types import Distribution, FeasibleSpace, ParameterSpec, ParameterType
from suggestion.core.distributions import RangeDistribution

_MOST_STEPS = 1 << 20
"""With more steps, a model sees a continuous range: single values would not help it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuous:
    """A range of real numbers."""

    name: str
    distribution: RangeDistribution

    @property
    def size(self) -> int | None:
        """The number of values; None: infinitely many."""
        return 1 if self.distribution.low == self.distribution.high else None

    @property
    def cells(self) -> int | None:
        """The number of equally likely values that a model sees one by one; None: a range."""
        return self.size

    def value(self, _index: int) -> str:
        """Return the text of the only value, if both ends are equal."""
        return self.text(0.5)

    def index(self, text: str) -> int | None:
        """Return 0 for each value of the range; None for other texts."""
        return None if self.share(text) is None else 0

    def text(self, share: float) -> str:
        """Return the text of the value at a share (0 to 1) of the range."""
        return repr(self.distribution.number(share))

    def share(self, text: str) -> float | None:
        """Return the share of a value; None if the text is not a value of this parameter."""
        number = _float(text)
        if number is None or not self.distribution.low <= number <= self.distribution.high:
            return None
        return self.distribution.share(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """A range of numbers with steps: `first`, `first + step`, ..."""

    name: str
    distribution: RangeDistribution
    """Half a step wider at each end than the range: each number is the middle of its cell."""
    first: Fraction
    step: Fraction
    size: int
    whole: bool
    """Whether the values are whole numbers."""

    @property
    def cells(self) -> int | None:
        """The number of equally likely values that a model sees one by one; None: a range."""
        return self.size if self.distribution.is_uniform and self.size <= _MOST_STEPS else None

    def value(self, index: int) -> str:
        """Return the text of value number `index`, from 0."""
        number = self.first + index * self.step
        return str(int(number)) if self.whole else repr(float(number))

    def index(self, text: str) -> int | None:
        """Return the number of a value, from 0; None if the text is not a value."""
        number = _float(text)
        if number is None or not self.distribution.low <= number <= self.distribution.high:
            return None
        return self._nearest(Fraction(int(text)) if text.isdecimal() else Fraction(number))

    def text(self, share: float) -> str:
        """Return the text of the value at a share (0 to 1) of the range."""
        if self.distribution.is_uniform:
            return self.value(min(int(Fraction(share) * self.size), self.size - 1))
        return self.value(self._nearest(Fraction(self.distribution.number(share))))

    def share(self, text: str) -> float | None:
        """Return the share of the middle of a value's cell; None if the text is not a value."""
        index = self.index(text)
        if index is None:
            return None
        if self.distribution.is_uniform:
            return (index + 0.5) / self.size
        return self.distribution.share(float(self.first + index * self.step))

    def cell(self, share: float) -> tuple[float, float]:
        """Return the ends of the part of [0, 1] that has the same value as this share."""
        if self.distribution.is_uniform:
            index = min(int(share * self.size), self.size - 1)
            return index / self.size, (index + 1) / self.size
        number = self.first + self._nearest(Fraction(self.distribution.number(share))) * self.step
        ends = (self.distribution.share(float(number + side * self.step / 2)) for side in (-1, 1))
        return next(ends), next(ends)

    def _nearest(self, number: Fraction) -> int:
        return min(max(round((number - self.first) / self.step), 0), self.size - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list of values; a search must not rely on their order."""

    name: str
    texts: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of values."""
        return len(self.texts)

    @property
    def cells(self) -> int:
        """The number of values: a model sees all of them one by one."""
        return len(self.texts)

    def value(self, index: int) -> str:
        """Return the text of value number `index`, from 0."""
        return self.texts[index]

    def index(self, text: str) -> int | None:
        """Return the number of a value, from 0; None if the text is not a value."""
        return self.texts.index(text) if text in self.texts else None

    def text(self, share: float) -> str:
        """Return the text of the value at a share (0 to 1) of the list."""
        return self.texts[min(int(share * self.size), self.size - 1)]

    def share(self, text: str) -> float | None:
        """Return the share of the middle of a value's cell; None if the text is not a value."""
        index = self.index(text)
        return None if index is None else (index + 0.5) / self.size


Dimension = Continuous | Stepped | Listed


def dimension_of(parameter: ParameterSpec) -> Dimension:
    """Return the dimension of a parameter in which `api.objects` has found no fault."""
    space = parameter.space
    if parameter.type in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
        return Listed(name=parameter.name, texts=tuple(dict.fromkeys(space.list)))
    if parameter.type is ParameterType.INT:
        return _stepped(parameter.name, space, whole=True)
    if space.step:
        return _stepped(parameter.name, space, whole=False)
    distribution = RangeDistribution(
        kind=space.distribution, low=float(space.min), high=float(space.max)
    )
    return Continuous(name=parameter.name, distribution=distribution)


def _stepped(name: str, space: FeasibleSpace, *, whole: bool) -> Stepped:
    low, high = _fraction(space.min), _fraction(space.max)
    step = _fraction(space.step) if space.step else Fraction(1)
    size = int((high - low) / step) + 1
    last = low + (size - 1) * step
    return Stepped(
        name=name,
        distribution=_over_cells(space.distribution, float(low), float(last), float(step)),
        first=low,
        step=step,
        size=size,
        whole=whole,
    )


def _over_cells(kind: Distribution, low: float, high: float, step: float) -> RangeDistribution:
    edge = low - step / 2
    if low > 0 >= edge:
        edge = low / 2  # a logarithm needs a number above 0
    return RangeDistribution(kind=kind, low=edge, high=high + step / 2)


def _fraction(text: str) -> Fraction:
    """Read a number exactly; fast for very long texts, too."""
    try:
        return Fraction(int(text))
    except ValueError:
        return Fraction(repr(float(text)))


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
