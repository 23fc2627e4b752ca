"""The bridge to Optuna: converts a history to a study, and asks a new sampler for the next point.

A sampler lives for one suggestion, and each trial's sampler has its own seed: a sampler that is
kept, or replayed with its first seed, would draw the same numbers for every trial.

For Optuna, a list is a categorical parameter; a range of few and equally likely values is an
integer; every other range is a share of [0, 1], so Optuna's model works with all distributions,
even those that Optuna does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from suggestion.core.algorithm import whole
from suggestion.core.dimensions import Dimension, Listed
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial, one_by_one, seed_at

_Known = int | float
optuna.logging.set_verbosity(optuna.logging.WARNING)  # a log line for each study has no use
MOST_CANDIDATES = 10_000
"""Points that a sampler compares for each suggestion: it keeps a number for each pair of a point
and a trial."""
CANDIDATES = whole(
    "n_ei_candidates",
    least=0,
    most=MOST_CANDIDATES,
    why="n_ei_candidates should be greate or equal than zero",
)
"""Katib's service of Optuna takes 0; see `at_least_one`."""


def at_least_one(candidates: int) -> int:
    """Return the number of points to compare: Optuna needs one."""
    return max(1, candidates)


def suggest_by(
    sampler: Callable[[int], BaseSampler],
    space: SearchSpace,
    history: History,
    count: int,
    seed: int,
) -> tuple[Point, ...]:
    """Return the next points; `sampler` makes the sampler of each from a 32-bit seed."""
    distributions = {dimension.name: _distribution(dimension) for dimension in space.dimensions}

    def choose(past: History) -> Point:
        study = optuna.create_study(sampler=sampler(seed_at(seed, len(past), "optuna")))
        study.add_trials(_trial(space, distributions, one) for one in past if one.assignments)
        chosen = study.ask(distributions).params
        return space.point(_share(d, chosen[d.name]) for d in space.dimensions)

    return one_by_one(choose, history, count)


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Listed):
        return CategoricalDistribution(range(dimension.size))
    if dimension.cells is None:
        return FloatDistribution(0, 1)
    return IntDistribution(0, dimension.cells - 1)


def _known(dimension: Dimension, text: str) -> _Known | None:
    return dimension.share(text) if dimension.cells is None else dimension.index(text)


def _share(dimension: Dimension, chosen: _Known) -> float:
    return chosen if dimension.cells is None else (chosen + 0.5) / dimension.cells


def _trial(
    space: SearchSpace, distributions: Mapping[str, BaseDistribution], past: PastTrial
) -> FrozenTrial:
    """Return one trial for Optuna; without usable data, a failed trial without parameters."""
    known = _all_known(space, past)
    if known is None or (past.loss is None and not past.running):
        return create_trial(state=TrialState.FAIL)
    state = TrialState.RUNNING if past.loss is None else TrialState.COMPLETE
    return create_trial(
        state=state, value=past.loss, params=known, distributions=dict(distributions)
    )


def _all_known(space: SearchSpace, past: PastTrial) -> dict[str, _Known] | None:
    texts = space.texts(past.assignments)
    if texts is None:
        return None
    known: dict[str, _Known] = {}
    for dimension, text in zip(space.dimensions, texts, strict=True):
        value = _known(dimension, text)
        if value is None:
            return None
        known[dimension.name] = value
    return known
