"""The bridge to Optuna: converts a history to a study, and asks a new sampler for the next point.

A sampler lives for one suggestion, and each trial's sampler has its own seed: a sampler that is
kept, or replayed with its first seed, would draw the same numbers for every trial.

For Optuna, a list is a categorical parameter; a range of few and equally likely values is an
integer; every other range is a share of [0, 1], so Optuna's model works with all distributions,
even those that Optuna does not have.

A model is built from at most 150 trials, so that a suggestion takes as long after 20,000 trials as
after 150: the running ones, the best, the newest, and an even choice of the others.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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


_MOST_MODELLED = 150
"""Trials of which a model is built."""
_MOST_RUNNING = 50
"""Of these, trials that still run: the newest."""
MOST_GOOD = 25
"""Trials; never more than these count as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """The trials of which a model is built, and how many there are in all."""

    trials: tuple[PastTrial, ...]
    """In the order of suggestion."""
    measured: int
    """Of all trials: those with a value."""
    bounded: bool
    """Whether the model does without some trials."""

    def good(self, count: Callable[[int], int]) -> Callable[[int], int]:
        """Return how many trials count as good: `count` of all trials, not of the modelled ones."""
        return (lambda _modelled: count(self.measured)) if self.bounded else count

    def startup(self, trials: int) -> int:
        """Return after how many modelled trials the model is used, instead of after `trials`."""
        return 0 if self.bounded and self.measured >= trials else trials


def modelled(history: History) -> Modelled:
    """Choose the trials of which a model is built."""
    measured: list[int] = []
    running: list[int] = []
    for index, past in enumerate(history):
        if past.assignments and past.loss is not None:
            measured.append(index)
        elif past.assignments and past.running:
            running.append(index)
    bounded = len(measured) + len(running) > _MOST_MODELLED
    chosen = [*measured, *running]
    if bounded:
        newest = running[-_MOST_RUNNING:]
        chosen = [*_most_useful(history, measured, _MOST_MODELLED - len(newest)), *newest]
    trials = tuple(history[i] for i in sorted(chosen))
    return Modelled(trials=trials, measured=len(measured), bounded=bounded)


def _most_useful(history: History, measured: Sequence[int], count: int) -> list[int]:
    """Return `count` of the trials with a value: the best, the newest, and some of all times."""
    best = set(heapq.nsmallest(MOST_GOOD, measured, key=lambda i: history[i].loss or 0.0))
    others = [i for i in measured if i not in best]
    count = min(count - len(best), len(others))
    border = len(others) - count // 2
    older, newest = others[:border], others[border:]
    evenly = (
        older[step * len(older) // (count - len(newest))] for step in range(count - len(newest))
    )
    return [*best, *newest, *evenly]


def at_least_one(candidates: int) -> int:
    """Return the number of points to compare: Optuna needs one."""
    return max(1, candidates)


def suggest_by(
    sampler: Callable[[int, Modelled], BaseSampler],
    space: SearchSpace,
    history: History,
    count: int,
    seed: int,
) -> tuple[Point, ...]:
    """Return the next points; `sampler` makes the sampler of each, from a 32-bit seed."""
    distributions = {dimension.name: _distribution(dimension) for dimension in space.dimensions}

    def choose(past: History) -> Point:
        chosen_trials = modelled(past)
        drawn = seed_at(seed, len(past), "optuna")
        study = optuna.create_study(sampler=sampler(drawn, chosen_trials))
        study.add_trials(_trial(space, distributions, one) for one in chosen_trials.trials)
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
