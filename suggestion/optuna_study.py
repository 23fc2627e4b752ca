"""The bridge to Optuna: a history as a study, and the next point from a sampler of that moment.

A sampler lives for one suggestion. One that is kept, or replayed with its first seed, would draw
the same numbers again for every trial; so each trial's sampler has a seed of its own.

Dimensions as Optuna sees them: a list is categorical; a range whose values are equally likely and
few enough to count is a whole number; every other one is its share of [0, 1], so that Optuna's
model fits all distributions, also those it does not have.
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

from suggestion.dimensions import Dimension, Listed
from suggestion.history import History, Past, one_by_one, seed_at
from suggestion.space import Point, Space

_Known = int | float
optuna.logging.set_verbosity(optuna.logging.WARNING)  # a line for each study says nothing here


def suggest_by(
    sampler: Callable[[int], BaseSampler], space: Space, history: History, count: int, seed: int
) -> tuple[Point, ...]:
    """Take the next points from samplers that `sampler` makes, each of a 32-bit seed."""
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


def _trial(space: Space, distributions: Mapping[str, BaseDistribution], past: Past) -> FrozenTrial:
    """Write one trial; one that cannot be learned from is a failed trial without parameters."""
    known = _all_known(space, past)
    if known is None or (past.loss is None and not past.running):
        return create_trial(state=TrialState.FAIL)
    state = TrialState.RUNNING if past.loss is None else TrialState.COMPLETE
    return create_trial(
        state=state, value=past.loss, params=known, distributions=dict(distributions)
    )


def _all_known(space: Space, past: Past) -> dict[str, _Known] | None:
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
