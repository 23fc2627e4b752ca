"""`grid`: every combination of values once, then no more points.

The points are numbered so that the last parameter changes fastest. With `random_state` they are
visited in a shuffled order, otherwise in the order of their numbers. Which points are visited is
remembered, so the next question of the same experiment looks at new trials only.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from api.errors import Fault
from api.faults import invalid, required
from api.types import Assignment, ExperimentSpec
from suggestion.core.algorithm import Algorithm, Values
from suggestion.core.prefix_memory import PrefixMemory
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial, seed_at

_MOST_TEXTS = 1000
"""Of a parameter: as many of its values are read once only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSearch:
    """Returns the first points that no trial has."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the next points; fewer than `count`, or none, at the end of the grid."""
        remembered = VISITED.take((space, seed), history)
        visited, done = remembered or (_Visited(space, seed), 0)
        for past in history[done:]:
            visited.add(past)
        known = len(history)
        while known and not history[known - 1].assignments:
            known -= 1  # trials that may still become known
        points = visited.first_free(count)
        visited.unknown -= len(history) - known
        VISITED.put((space, seed), history[:known], visited)
        return points


class _Visited:
    """The points of a grid that trials have."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space, self._order = space, _Order(space.size or 0, seed)
        self._indexes: list[dict[str, int | None]] = [{} for _ in space.dimensions]
        self._positions: set[int] = set()
        self._before = 0
        """All positions before this one are visited."""
        self.unknown = 0
        """Trials whose points are not known: they count as the first points that seem free."""

    def add(self, past: PastTrial) -> None:
        if not past.assignments:
            self.unknown += 1
        number = self._number(past)
        if number is not None:
            self._positions.add(self._order.position(number))

    def first_free(self, count: int) -> tuple[Point, ...]:
        """Return the first points that no trial has; fewer at the end of the grid."""
        while self._before in self._positions:
            self._before += 1
        free = (p for p in range(self._before, self._order.size) if p not in self._positions)
        chosen = islice(free, self.unknown, self.unknown + count)
        return tuple(_point(self._space, self._order.number(position)) for position in chosen)

    def _number(self, past: PastTrial) -> int | None:
        texts = self._space.texts(past.assignments)
        if texts is None:
            return None
        number = 0
        for dimension, known, text in zip(
            self._space.dimensions, self._indexes, texts, strict=True
        ):
            if text not in known and len(known) < _MOST_TEXTS:
                known[text] = dimension.index(text)
            index = known[text] if text in known else dimension.index(text)
            if index is None:
                return None
            number = number * (dimension.size or 1) + index
        return number


VISITED: PrefixMemory[_Visited] = PrefixMemory("assignments")
"""Of the last experiments."""


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
