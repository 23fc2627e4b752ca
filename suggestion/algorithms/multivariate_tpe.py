"""`multivariate-tpe`: as `tpe`, but models all parameters together, with their interactions."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

from optuna.samplers import TPESampler

from suggestion.algorithms.optuna_study import (
    CANDIDATES,
    MOST_GOOD,
    Modelled,
    at_least_one,
    suggest_by,
)
from suggestion.core.algorithm import Algorithm, whole
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class MultivariateTpe:
    """Optuna's multivariate TPE, with its settings and defaults."""

    n_startup_trials: int = 10
    n_ei_candidates: int = 24

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Choose the next points; the first `n_startup_trials` are random."""
        return suggest_by(self._sampler, space, history, count, seed)

    def _sampler(self, seed: int, modelled: Modelled) -> TPESampler:
        with warnings.catch_warnings():
            # Optuna 5 deprecates gamma without a replacement.
            warnings.simplefilter("ignore", FutureWarning)
            return TPESampler(
                n_startup_trials=modelled.startup(self.n_startup_trials),
                n_ei_candidates=at_least_one(self.n_ei_candidates),
                gamma=modelled.good(good_trials),
                seed=seed,
                multivariate=True,
                constant_liar=True,
            )


def good_trials(trials: int) -> int:
    """Return the number of finished trials that count as good, as Optuna does."""
    return min(math.ceil(trials / 10), MOST_GOOD)


ALGORITHM = Algorithm(
    make=MultivariateTpe,
    rules=(
        whole(
            "n_startup_trials", least=0, why="n_startup_trials should be greate or equal than zero"
        ),
        CANDIDATES,
    ),
    seed_rule="random_state should be greate or equal than zero",
)
