"""`grid`: every combination of values, each once; then there are no more.

The points are numbered like the readings of a counter whose last wheel turns fastest. With
`random_state` they are visited in a shuffled order; without it in the order of their numbers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from api.errors import Fault
from api.faults import invalid, required
from api.types import Assignment, ExperimentSpec
from suggestion.algorithm import Algorithm, Values
from suggestion.history import History, Past, seed_at
from suggestion.space import Point, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSearch:
    """Goes on with the first point that no trial has."""

    def suggest(self, space: Space, history: History, count: int, seed: int) -> tuple[Point, ...]:
        """Take the next points; fewer than `count`, or none, where the grid is at its end."""
        order = _Order(space.size or 0, seed)
        numbers = (_number(space, past) for past in history)
        visited = {order.position(number) for number in numbers if number is not None}
        # Trials that nothing is known of have taken the first of the points that seem free.
        taken = sum(not past.assignments for past in history)
        positions = (p for p in range(order.size) if p not in visited)
        points: list[Point] = []
        for position in positions:
            if len(points) == count:
                break
            if taken:
                taken -= 1
                continue
            points.append(_point(space, order.number(position)))
        return tuple(points)


class _Order:
    """A permutation of 0 .. size-1 that needs no list of them; seed 0 is the order itself."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self._factor, self._offset = 1, 0
        if seed and size > 1:
            dice = random.Random(seed_at(seed, 0, "grid"))  # noqa: S311 - a search keeps no secrets
            self._offset = dice.randrange(size)
            self._factor = next(
                factor
                for factor in iter(lambda: dice.randrange(1, size), None)
                if math.gcd(factor, size) == 1
            )
        self._inverse = pow(self._factor, -1, size) if size > 1 else 1

    def number(self, position: int) -> int:
        return (position * self._factor + self._offset) % self.size

    def position(self, number: int) -> int:
        return (number - self._offset) * self._inverse % self.size


def _number(space: Space, past: Past) -> int | None:
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


def _point(space: Space, number: int) -> Point:
    values: list[Assignment] = []
    for dimension in reversed(space.dimensions):
        number, index = divmod(number, dimension.size or 1)
        values.append(Assignment(name=dimension.name, value=dimension.value(index)))
    return tuple(reversed(values))


def _judge(space: Space, spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
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
    judge=_judge,
    seed_rule="random_state should be greate or equal than zero",
    seeded=False,
)
