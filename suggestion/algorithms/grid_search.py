"""`grid`: every combination of values once, then no more points.

The points are numbered so that the last parameter changes fastest. With `random_state` they are
visited in a shuffled order, otherwise in the order of their numbers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from api.errors import Fault
from api.faults import invalid, required
from api.types import Assignment, ExperimentSpec
from suggestion.core.algorithm import Algorithm, Values
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial, seed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSearch:
    """Returns the first points that no trial has."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the next points; fewer than `count`, or none, at the end of the grid."""
        order = _Order(space.size or 0, seed)
        numbers = (_number(space, past) for past in history)
        visited = {order.position(number) for number in numbers if number is not None}
        # Unknown trials count as the first points that seem free.
        unknown = sum(not past.assignments for past in history)
        positions = (p for p in range(order.size) if p not in visited)
        points: list[Point] = []
        for position in positions:
            if len(points) == count:
                break
            if unknown:
                unknown -= 1
                continue
            points.append(_point(space, order.number(position)))
        return tuple(points)


class _Order:
    """A permutation of 0 .. size-1 that needs no list; with seed 0, the identity."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self._factor, self._offset = 1, 0
        if seed and size > 1:
            rng = random.Random(seed_at(seed, 0, "grid"))  # noqa: S311 - not for security
            self._offset = rng.randrange(size)
            self._factor = next(
                factor
                for factor in iter(lambda: rng.randrange(1, size), None)
                if math.gcd(factor, size) == 1
            )
        self._inverse = pow(self._factor, -1, size) if size > 1 else 1

    def number(self, position: int) -> int:
        return (position * self._factor + self._offset) % self.size

    def position(self, number: int) -> int:
        return (number - self._offset) * self._inverse % self.size


def _number(space: SearchSpace, past: PastTrial) -> int | None:
    texts = space.texts(past.assignments)
    if texts is None:
        return None
    number = 0
    for dimension, text in zip(space.dimensions, texts, strict=True):
        index = dimension.index(text)
        if index is None:
            return None
        number = number * (dimension.size or 1) + index
    return number


def _point(space: SearchSpace, number: int) -> Point:
    values: list[Assignment] = []
    for dimension in reversed(space.dimensions):
        number, index = divmod(number, dimension.size or 1)
        values.append(Assignment(name=dimension.name, value=dimension.value(index)))
    return tuple(reversed(values))


def _validate(space: SearchSpace, spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
    for index, dimension in enumerate(space.dimensions):
        if dimension.size is None:
            why = (
                f"Param {dimension.name} step is nil; For discrete search space, all parameters"
                " must include step; write one, or take another algorithm"
            )
            yield required(f"spec.parameters[{index}].feasibleSpace.step", why)
    most, size = spec.max_trial_count, space.size
    if most is not None and size is not None and most > size:
        why = (
            f"Max Trial Count: {most} > all possible search combinations: {size};"
            f" write at most {size}, or leave it out"
        )
        yield invalid("spec.maxTrialCount", most, why)


ALGORITHM = Algorithm(
    make=GridSearch,
    validate=_validate,
    seed_rule="random_state should be greate or equal than zero",
    seeded=False,
)
