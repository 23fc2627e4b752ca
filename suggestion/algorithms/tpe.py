"""`tpe`: models each parameter by itself, and prefers values where good trials are dense."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import partial

from optuna.samplers import TPESampler

from suggestion.algorithms.optuna_study import (
    CANDIDATES,
    MOST_CANDIDATES,
    MOST_GOOD,
    Modelled,
    at_least_one,
    suggest_by,
)
from suggestion.core.algorithm import LARGEST_WHOLE, Algorithm, Rule, whole
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Tpe:
    """Tree-structured Parzen estimators, with Hyperopt's settings and defaults."""

    gamma: float = 0.25
    prior_weight: float = 1.0
    n_EI_candidates: int = 24  # noqa: N815 - the name that users write
    n_ei_candidates: int | None = None
    """The same by Optuna's name; None: `n_EI_candidates` counts."""
    n_startup_trials: int = 10

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Choose the next points; the first `n_startup_trials` are random."""
        return suggest_by(self._sampler, space, history, count, seed)

    @property
    def _candidates(self) -> int:
        if self.n_ei_candidates is None:
            return self.n_EI_candidates
        return at_least_one(self.n_ei_candidates)

    def _sampler(self, seed: int, modelled: Modelled) -> TPESampler:
        with warnings.catch_warnings():
            # Optuna 5 deprecates prior_weight without a replacement.
            warnings.simplefilter("ignore", FutureWarning)
            return TPESampler(
                prior_weight=None if self.prior_weight == 1 else self.prior_weight,
                n_startup_trials=modelled.startup(self.n_startup_trials),
                n_ei_candidates=self._candidates,
                gamma=modelled.good(partial(good_trials, self.gamma)),
                seed=seed,
                multivariate=False,
                constant_liar=True,
            )


def good_trials(gamma: float, trials: int) -> int:
    """Return the number of finished trials that count as good, as Hyperopt does."""
    return min(math.ceil(gamma * math.sqrt(trials)), MOST_GOOD)


ALGORITHM = Algorithm(
    make=Tpe,
    rules=(
        Rule(
            name="gamma",
            read=float,
            write="a number above 0 and below 1",
            holds=lambda gamma: 0 < gamma < 1,
            why="gamma should be in the range of (0, 1)",
        ),
        Rule(
            name="prior_weight",
            read=float,
            write=f"a number above 0, at most {LARGEST_WHOLE}",
            holds=lambda weight: 0 < weight < math.inf,
            why="prior_weight should be great than zero",
            most=LARGEST_WHOLE,
        ),
        whole(
            "n_EI_candidates",
            least=1,
            most=MOST_CANDIDATES,
            why="n_EI_candidates should be great than zero",
        ),
        CANDIDATES,
        whole(
            "n_startup_trials", least=0, why="n_startup_trials should be great or equal than zero"
        ),
    ),
)
