"""`multivariate-tpe`: as `tpe`, but all parameters together, so that it sees how they interact."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.samplers import TPESampler

from suggestion.algorithm import Algorithm, whole
from suggestion.history import History
from suggestion.optuna_study import suggest_by
from suggestion.space import Point, Space


@dataclass(frozen=True, slots=True, kw_only=True)
class MultivariateTpe:
    """Optuna's multivariate TPE, with its settings and defaults."""

    n_startup_trials: int = 10
    n_ei_candidates: int = 24

    def suggest(self, space: Space, history: History, count: int, seed: int) -> tuple[Point, ...]:
        """Choose the next points; the first `n_startup_trials` are random."""
        return suggest_by(self._sampler, space, history, count, seed)

    def _sampler(self, seed: int) -> TPESampler:
        return TPESampler(
            n_startup_trials=self.n_startup_trials,
            n_ei_candidates=self.n_ei_candidates,
            seed=seed,
            multivariate=True,
            constant_liar=True,
        )


ALGORITHM = Algorithm(
    make=MultivariateTpe,
    rules=(
        whole(
            "n_startup_trials", least=0, why="n_startup_trials should be greate or equal than zero"
        ),
        whole("n_ei_candidates", least=1, why="n_ei_candidates should be great than zero"),
    ),
    seed_rule="random_state should be greate or equal than zero",
)
