"""`sobol`: a sequence of points that fills the space evenly."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from scipy.stats import qmc

from api.errors import Fault
from api.faults import invalid
from api.types import ExperimentSpec
from suggestion.core.algorithm import Algorithm, Values
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, one_by_one, seed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Sobol:
    """One scrambled sequence for each seed; trial number i gets point number i."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the next points of the sequence."""

        def choose(past: History) -> Point:
            sequence = qmc.Sobol(len(space.dimensions), rng=seed_at(seed, 0, "sobol"))
            if past:  # SciPy 1.17 cannot go forward by 0
                sequence.fast_forward(len(past))
            with warnings.catch_warnings():  # it asks for powers of two, which only sums need
                warnings.simplefilter("ignore", UserWarning)
                (shares,) = sequence.random(1)
            return space.point(map(float, shares))

        return one_by_one(choose, history, count)


def _validate(space: SearchSpace, _spec: ExperimentSpec, _values: Values) -> Iterator[Fault]:
    count = len(space.dimensions)
    if count > qmc.Sobol.MAXDIM:
        why = f"sobol takes at most {qmc.Sobol.MAXDIM} parameters; take random instead"
        yield invalid("spec.parameters", count, why)


ALGORITHM = Algorithm(make=Sobol, validate=_validate)
