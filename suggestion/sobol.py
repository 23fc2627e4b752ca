"""`sobol`: points that fill the space evenly, whichever of them are looked at."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from scipy.stats import qmc

from api.errors import Fault
from api.faults import invalid
from api.types import ExperimentSpec
from suggestion.algorithm import Algorithm, Values
from suggestion.history import History, one_by_one, seed_at
from suggestion.space import Point, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class Sobol:
    """One scrambled sequence for each seed; trial number i takes its point number i."""

    def suggest(self, space: Space, history: History, count: int, seed: int) -> tuple[Point, ...]:
        """Take the next points of the sequence."""

        def choose(past: History) -> Point:
            sequence = qmc.Sobol(len(space.dimensions), rng=seed_at(seed, 0, "sobol"))
            if past:  # SciPy 1.17 cannot go forward by nothing
                sequence.fast_forward(len(past))
            with warnings.catch_warnings():  # it wants powers of two, for sums that we never make
                warnings.simplefilter("ignore", UserWarning)
                (shares,) = sequence.random(1)
            return space.point(map(float, shares))

        return one_by_one(choose, history, count)


def _judge(space: Space, _spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
    found = len(space.dimensions)
    if found > qmc.Sobol.MAXDIM:
        why = f"sobol takes at most {qmc.Sobol.MAXDIM} parameters; take random instead"
        yield invalid("spec.parameters", found, why)


ALGORITHM = Algorithm(make=Sobol, judge=_judge)
