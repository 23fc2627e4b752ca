"""`qmc`: a sequence of points that fills the space evenly; Sobol's by default, or Halton's."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from scipy.stats import qmc

from api.errors import Fault
from api.faults import invalid
from api.types import ExperimentSpec
from suggestion.core.algorithm import Algorithm, Values, one_of
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, seed_at

_SOBOL, _HALTON = "sobol", "halton"


@dataclass(frozen=True, slots=True, kw_only=True)
class Qmc:
    """One scrambled sequence for each seed; trial number i gets point number i."""

    qmc_type: str = _SOBOL

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the next points of the sequence."""
        if not count:
            return ()
        kind = qmc.Halton if self.qmc_type == _HALTON else qmc.Sobol
        sequence = kind(len(space.dimensions), rng=seed_at(seed, 0, self.qmc_type))
        if history:  # SciPy 1.17 cannot go forward by 0
            sequence.fast_forward(len(history))
        with warnings.catch_warnings():  # it asks for powers of two, which only sums need
            warnings.simplefilter("ignore", UserWarning)
            rows = sequence.random(count)
        return tuple(space.point(map(float, shares)) for shares in rows)


def validate_sobol(space: SearchSpace, _spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    """Yield a fault if the space has more parameters than a sequence of Sobol can have."""
    count = len(space.dimensions)
    if values.get("qmc_type", _SOBOL) == _SOBOL and count > qmc.Sobol.MAXDIM:
        why = f"sobol takes at most {qmc.Sobol.MAXDIM} parameters; take random instead"
        yield invalid("spec.parameters", count, why)


ALGORITHM = Algorithm(
    make=Qmc,
    rules=(one_of("qmc_type", (_SOBOL, _HALTON), "qmc_type {} is not supported"),),
    validate=validate_sobol,
)
