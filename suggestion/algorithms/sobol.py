"""`sobol`: a sequence of points that fills the space evenly; `qmc` under Katib's name."""

from __future__ import annotations

from dataclasses import dataclass

from suggestion.algorithms.qmc import Qmc, validate_sobol
from suggestion.core.algorithm import Algorithm
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Sobol:
    """One scrambled sequence for each seed; trial number i gets point number i."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the next points of the sequence."""
        return Qmc().suggest(space, history, count, seed)


ALGORITHM = Algorithm(make=Sobol, validate=validate_sobol)
