"""Two algorithms of Hyperopt, as an external package would add them.

What a plug-in has to do: read the history into whatever its library wants, choose one point with
a seed of that moment, and keep nothing. `one_by_one` and `seed_at` do the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from hyperopt import JOB_STATE_DONE, STATUS_OK, anneal, hp, tpe
from hyperopt.base import Domain, Trials, trials_from_docs

from suggestion.core.algorithm import Algorithm, whole
from suggestion.core.dimensions import Dimension
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial, one_by_one, seed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperopt:
    """A `suggest` function of Hyperopt; it ignores running trials."""

    algorithm: Callable[..., list[dict[str, Any]]]
    n_startup_trials: int = 10

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Return the next points; the first `n_startup_trials` are random."""
        domain = Domain(_never_called, {d.name: _expression(d) for d in space.dimensions})

        def choose(past: History) -> Point:
            shares = self._shares(domain, space, past, seed_at(seed, len(past), "hyperopt"))
            return space.point(shares)

        return one_by_one(choose, history, count)

    def _shares(self, domain: Domain, space: SearchSpace, past: History, seed: int) -> list[float]:
        past_trials = _past_trials(space, past)
        if len(past_trials.trials) < self.n_startup_trials:
            return list(map(float, np.random.default_rng(seed).random(len(space.dimensions))))
        (chosen,) = self.algorithm([len(past)], domain, past_trials, seed)
        values = chosen["misc"]["vals"]
        return [_share(dimension, values[dimension.name][0]) for dimension in space.dimensions]


def _never_called(_point: object) -> float:
    raise AssertionError("trials run elsewhere")


def _expression(dimension: Dimension) -> object:
    if dimension.cells is None:
        return hp.uniform(dimension.name, 0, 1)
    return hp.randint(dimension.name, dimension.cells)


def _share(dimension: Dimension, value: float) -> float:
    return float(value) if dimension.cells is None else (int(value) + 0.5) / dimension.cells


def _past_trials(space: SearchSpace, history: History) -> Trials:
    documents = [_document(space, number, past) for number, past in enumerate(history)]
    return trials_from_docs([document for document in documents if document is not None])


def _document(space: SearchSpace, number: int, past: PastTrial) -> dict[str, Any] | None:
    texts = space.texts(past.assignments)
    if texts is None or past.loss is None:
        return None
    values: dict[str, list[float]] = {}
    for dimension, text in zip(space.dimensions, texts, strict=True):
        counted = dimension.cells is not None
        value = dimension.index(text) if counted else dimension.share(text)
        if value is None:
            return None
        values[dimension.name] = [value]
    return {
        "tid": number,
        "state": JOB_STATE_DONE,
        "spec": None,
        "result": {"status": STATUS_OK, "loss": past.loss},
        "misc": {
            "tid": number,
            "cmd": None,
            "idxs": {name: [number] for name in values},
            "vals": values,
        },
        "exp_key": None,
        "owner": None,
        "version": 0,
        "book_time": None,
        "refresh_time": None,
    }


_RULES = (whole("n_startup_trials", least=0, why="n_startup_trials should not be below zero"),)

TPE = Algorithm(make=partial(Hyperopt, algorithm=tpe.suggest), rules=_RULES)
ANNEAL = Algorithm(make=partial(Hyperopt, algorithm=anneal.suggest), rules=_RULES)
