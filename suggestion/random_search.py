"""`random`: every trial by itself, drawn by the distributions of the space."""

from __future__ import annotations

import random
from dataclasses import dataclass

from suggestion.algorithm import Algorithm
from suggestion.history import History, one_by_one, seed_at
from suggestion.space import Point, Space


def random_point(space: Space, index: int, seed: int) -> Point:
    """Draw the point of trial number `index`."""
    dice = random.Random(seed_at(seed, index, "random"))  # noqa: S311 - a search keeps no secrets
    return space.point(dice.random() for _ in space.dimensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSearch:
    """Looks at nothing but how many trials there were."""

    def suggest(self, space: Space, history: History, count: int, seed: int) -> tuple[Point, ...]:
        """Draw the next points."""
        return one_by_one(lambda past: random_point(space, len(past), seed), history, count)


ALGORITHM = Algorithm(make=RandomSearch)
