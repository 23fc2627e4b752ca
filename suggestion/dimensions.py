"""One parameter as a search sees it: a share of [0, 1] in, the value's text out, and back.

Three kinds: a range without steps, a range with steps (whole numbers have one of 1), a list.
The text is what the trial's template gets: `repr` of a float, an integer's digits, or the entry
of the list as it was written. Steps start at `min`; they are counted in exact fractions, so that
0.1 in steps of 0.1 comes to 0.3 and not to 0.30000000000000004.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from api.types import Distribution, FeasibleSpace, ParameterSpec, ParameterType
from suggestion.distributions import Law

_MOST_STEPS = 1 << 20
"""Where there are more, a model gains nothing from seeing them one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuous:
    """A range of real numbers."""

    name: str
    law: Law

    @property
    def size(self) -> int | None:
        """How many values there are; None is without end."""
        return 1 if self.law.low == self.law.high else None

    @property
    def cells(self) -> int | None:
        """How many values a model sees one by one, each as likely as the next; None: a range."""
        return self.size

    def value(self, _index: int) -> str:
        """Write the one value of a range whose two ends are one."""
        return self.text(0.5)

    def index(self, text: str) -> int | None:
        """Return 0 for each of its values; None where it is none."""
        return None if self.share(text) is None else 0

    def text(self, share: float) -> str:
        """Write the value at a share (0 to 1) of the range."""
        return repr(self.law.number(share))

    def share(self, text: str) -> float | None:
        """Return where a value lies; None where it is no value of this parameter."""
        number = _float(text)
        if number is None or not self.law.low <= number <= self.law.high:
            return None
        return self.law.share(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """A range of which every so-manieth number counts: `first`, `first + step`, ..."""

    name: str
    law: Law
    """Over the range, and half a step more at each end: each number is the middle of its cell."""
    first: Fraction
    step: Fraction
    size: int
    whole: bool

    @property
    def cells(self) -> int | None:
        """How many values a model sees one by one, each as likely as the next; None: a range."""
        return self.size if self.law.even and self.size <= _MOST_STEPS else None

    def value(self, index: int) -> str:
        """Write the value number `index`, from 0."""
        number = self.first + index * self.step
        return str(int(number)) if self.whole else repr(float(number))

    def index(self, text: str) -> int | None:
        """Return which value this is; None where it is none of them."""
        number = _float(text)
        if number is None or not self.law.low <= number <= self.law.high:
            return None
        return self._nearest(Fraction(int(text)) if text.isdecimal() else Fraction(number))

    def text(self, share: float) -> str:
        """Write the value at a share (0 to 1) of the range."""
        if self.law.even:
            return self.value(min(int(Fraction(share) * self.size), self.size - 1))
        return self.value(self._nearest(Fraction(self.law.number(share))))

    def share(self, text: str) -> float | None:
        """Return where the middle of a value's cell lies; None where it is no value."""
        index = self.index(text)
        if index is None:
            return None
        if self.law.even:
            return (index + 0.5) / self.size
        return self.law.share(float(self.first + index * self.step))

    def cell(self, share: float) -> tuple[float, float]:
        """Return the ends of the part of [0, 1] that has the same value as this share of it."""
        if self.law.even:
            index = min(int(share * self.size), self.size - 1)
            return index / self.size, (index + 1) / self.size
        number = self.first + self._nearest(Fraction(self.law.number(share))) * self.step
        ends = (self.law.share(float(number + side * self.step / 2)) for side in (-1, 1))
        return next(ends), next(ends)

    def _nearest(self, number: Fraction) -> int:
        return min(max(round((number - self.first) / self.step), 0), self.size - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list of values in no order that a search may rely on."""

    name: str
    texts: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.texts)

    @property
    def cells(self) -> int:
        """The same: a model sees them one by one."""
        return len(self.texts)

    def value(self, index: int) -> str:
        """Write the value number `index`, from 0."""
        return self.texts[index]

    def index(self, text: str) -> int | None:
        """Return which value this is; None where it is none of them."""
        return self.texts.index(text) if text in self.texts else None

    def text(self, share: float) -> str:
        """Write the value at a share (0 to 1) of the list."""
        return self.texts[min(int(share * self.size), self.size - 1)]

    def share(self, text: str) -> float | None:
        """Return where the middle of a value's part lies; None where it is no value."""
        index = self.index(text)
        return None if index is None else (index + 0.5) / self.size


Dimension = Continuous | Stepped | Listed


def dimension_of(parameter: ParameterSpec) -> Dimension:
    """Build a dimension of a parameter that `api.objects` finds no fault with."""
    space = parameter.space
    if parameter.type in (ParameterType.CATEGORICAL, ParameterType.DISCRETE):
        return Listed(name=parameter.name, texts=tuple(dict.fromkeys(space.list)))
    if parameter.type is ParameterType.INT:
        return _stepped(parameter.name, space, whole=True)
    if space.step:
        return _stepped(parameter.name, space, whole=False)
    law = Law(distribution=space.distribution, low=float(space.min), high=float(space.max))
    return Continuous(name=parameter.name, law=law)


def _stepped(name: str, space: FeasibleSpace, *, whole: bool) -> Stepped:
    low, high = _fraction(space.min), _fraction(space.max)
    step = _fraction(space.step) if space.step else Fraction(1)
    size = int((high - low) / step) + 1
    last = low + (size - 1) * step
    return Stepped(
        name=name,
        law=_law_of_cells(space.distribution, float(low), float(last), float(step)),
        first=low,
        step=step,
        size=size,
        whole=whole,
    )


def _law_of_cells(distribution: Distribution, low: float, high: float, step: float) -> Law:
    edge = low - step / 2
    if low > 0 >= edge:
        edge = low / 2  # no logarithm is to meet a number that is not above 0
    return Law(distribution=distribution, low=edge, high=high + step / 2)


def _fraction(text: str) -> Fraction:
    """Read a number exactly as it is written, and one of a million digits in no time."""
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
