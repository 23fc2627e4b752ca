"""`random`: draws each trial independently, from the distributions of the space."""

from __future__ import annotations

import random
from dataclasses import dataclass

from suggestion.core.algorithm import Algorithm
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, one_by_one, seed_at


def random_point(space: SearchSpace, index: int, seed: int) -> Point:
    """Draw the point of trial number `index`."""
    rng = random.Random(seed_at(seed, index, "random"))  # noqa: S311 - not for security
    return space.point(rng.random() for _ in space.dimensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomSearch:
    """Depends on the number of earlier trials only."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Draw the next points."""
        return one_by_one(lambda past: random_point(space, len(past), seed), history, count)


ALGORITHM = Algorithm(make=RandomSearch)
