"""The values of one metric of a trial, in their order, with what a rule asks about them.

A curve keeps the first values and the newest one, and between them marks that are at least a
`FINENESS`-th further each time: some 200 for 4,000 values, 400 for a million. Each
mark has the count, the best and the mean of all values up to it. So the low rungs, which all later
trials are compared at, stay exact however long a trial is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple

from api.metric_values import finite

FINENESS: Final = 32


class Resource(StrEnum):
    """What a training uses up; rules compare trials that have used the same amount of it."""

    STEP = "step"
    """The training's own counter, where it prints one; else the number of values."""
    POINTS = "points"
    """The number of values."""
    SECONDS = "seconds"
    """Since the first value."""


class Point(NamedTuple):
    """One value of a metric, as it is stored."""

    value: str
    step: int | None
    """The training's own counter; None if it prints none."""
    micros: int
    """Microseconds since 1970."""


class Mark(NamedTuple):
    """One point of a curve, and what is known of all points up to it."""

    number: int
    """How many values there were, from 1."""
    step: int
    seconds: float
    value: float | None
    """None: not a finite number."""
    least: float | None
    greatest: float | None
    total: float
    """The sum of the finite values."""
    finite: int
    """How many values were finite numbers."""

    def used(self, resource: Resource) -> float:
        """Return how much of a resource was used."""
        match resource:
            case Resource.STEP:
                return self.step
            case Resource.POINTS:
                return self.number
            case Resource.SECONDS:
                return self.seconds

    @property
    def mean(self) -> float | None:
        """The mean of the finite values; None without any."""
        return self.total / self.finite if self.finite else None


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric of a trial."""

    marks: tuple[Mark, ...] = ()
    begun: int = 0
    """Microseconds since 1970 of the first point."""
    first_step: int | None = None
    """The first step that the training printed; None without any."""
    last_step: int | None = None
    """The newest step that it printed."""

    def extended(self, points: Iterable[Point]) -> Curve:
        """Return the curve with further points.

        The curve begins anew if the steps begin again: the training was started again.
        """
        marks, begun, first, last = list(self.marks), self.begun, self.first_step, self.last_step
        for point in points:
            if point.step is not None:
                # Not each lesser step: the pods of a job do not print in lockstep.
                if first is not None and last is not None and point.step <= first < last:
                    marks, first = [], None
                first, last = point.step if first is None else first, point.step
            if not marks:
                begun = point.micros
            mark = _mark(marks[-1] if marks else None, point, begun)
            if _is_close(marks):
                marks.pop()
            marks.append(mark)
        return Curve(tuple(marks), begun, first, last)

    @property
    def last(self) -> Mark | None:
        """The newest mark; None without any."""
        return self.marks[-1] if self.marks else None

    def used(self, resource: Resource) -> float:
        """Return how much of a resource was used; 0 without marks."""
        return self.marks[-1].used(resource) if self.marks else 0.0

    def at(self, amount: float, resource: Resource) -> Mark | None:
        """Return the mark at which an amount was reached; None if it was not reached."""
        index = bisect_left(self.marks, amount, key=partial(_used, resource))
        return self.marks[index] if index < len(self.marks) else None


def curve_of(points: Iterable[Point]) -> Curve:
    """Return the curve of these points."""
    return Curve().extended(points)


def _is_close(marks: Sequence[Mark]) -> bool:
    """Return whether the newest mark is so close to the one before that the next replaces it."""
    if len(marks) < 2:  # noqa: PLR2004 - the newest, and one before
        return False
    before, newest = marks[-2:]
    return newest.number - before.number < before.number // FINENESS


def _used(resource: Resource, mark: Mark) -> float:
    return mark.used(resource)


def _mark(before: Mark | None, point: Point, begun: int) -> Mark:
    value = finite(point.value)
    number = before.number + 1 if before else 1
    least = greatest = value
    total, count = value or 0.0, int(value is not None)
    if before is not None:
        least = _one_of(min, before.least, value)
        greatest = _one_of(max, before.greatest, value)
        total, count = before.total + total, before.finite + count
    # A clock may go back, but what was used never does: `Curve.at` searches by halves.
    seconds = max(before.seconds if before else 0.0, (point.micros - begun) / 1e6)
    step = number if point.step is None else point.step
    step = max(before.step, step) if before else step
    return Mark(number, step, seconds, value, least, greatest, total, count)


def _one_of(
    choose: Callable[[float, float], float], one: float | None, other: float | None
) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)
