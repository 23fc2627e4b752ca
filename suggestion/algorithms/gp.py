"""`gp`: a Gaussian process; `bayesianoptimization` with this model, under the name of Optuna.

Optuna's own GPSampler needs PyTorch, which no image of trialwatch has.
"""

from __future__ import annotations

from dataclasses import dataclass

from suggestion.algorithms.bayesian import CRITERION, INITIAL_POINTS, BayesianOptimization
from suggestion.core.algorithm import Algorithm
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Gp:
    """The Gaussian process of scikit-optimize."""

    n_initial_points: int = 10
    acq_func: str = "gp_hedge"

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Choose the next points; the first `n_initial_points` are random."""
        search = BayesianOptimization(
            n_initial_points=self.n_initial_points, acq_func=self.acq_func
        )
        return search.suggest(space, history, count, seed)


ALGORITHM = Algorithm(make=Gp, rules=(INITIAL_POINTS, CRITERION))
