"""`bayesianoptimization`: a model of the objective, and the point where it promises most.

scikit-optimize fits the model to the history anew for each suggestion. Two things that its own
optimizer carries from one suggestion to the next are not in a history:

* `gp_hedge` weighs three criteria by how well each did before. Here all three weigh the same: one
  is drawn for each trial.
* Running trials are told as if they had ended with the best loss so far, which is what it does by
  itself (`cl_min`) for several points at once.

Pairs of settings, as scikit-optimize 0.10 and scikit-learn 1.9 have them:

A Gaussian process (GP) takes at most 250 trials: the newest, and the best of the others.

| base_estimator | acq_optimizer auto | sampling | lbfgs |
|---|---|---|---|
| GP | lbfgs | works | works |
| GP, where every parameter is a list | sampling | works | refused: lists have no gradient |
| RF, ET, GBRT | sampling | works | refused: trees have no gradient |

Every acq_func works with each of these; EIps and PIps weigh by the seconds a trial took. GBRT
works by `_quantiles`, which mends what has changed in scikit-learn and NumPy since.
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.utils import RegressorTags, Tags
from skopt import Optimizer
from skopt.learning import GradientBoostingQuantileRegressor
from skopt.space import Categorical, Integer, Real
from threadpoolctl import ThreadpoolController

from api.errors import Fault
from api.faults import invalid
from api.types import ExperimentSpec
from suggestion.algorithm import SETTINGS, Algorithm, Values, one_of, whole
from suggestion.dimensions import Dimension, Listed
from suggestion.history import History, Past, one_by_one, seed_at
from suggestion.random_search import random_point
from suggestion.space import Point, Space

_threads = ThreadpoolController()
_GP, _GBRT = "GP", "GBRT"
_ESTIMATORS = (_GP, "RF", "ET", _GBRT)
_CRITERIA = ("gp_hedge", "LCB", "EI", "PI", "EIps", "PIps")
_HEDGED = ("EI", "LCB", "PI")
"""What gp_hedge chooses from."""
_OPTIMIZERS = ("auto", "sampling", "lbfgs")
_LARGEST = 1e100
"""A loss beyond it counts as this: the model squares its numbers."""
_MOST_TOLD = 250
"""Trials that a Gaussian process is fitted to: its time grows with their cube."""
_ALMOST_NO_TIME = 1e-3
"""Seconds: the logarithm of a duration is taken, and time stamps have whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesianOptimization:
    """scikit-optimize's, with its settings and defaults."""

    base_estimator: str = _GP
    n_initial_points: int = 10
    acq_func: str = "gp_hedge"
    acq_optimizer: str = "auto"

    def suggest(self, space: Space, history: History, count: int, seed: int) -> tuple[Point, ...]:
        """Choose the next points; the first `n_initial_points` are random."""

        def choose(past: History) -> Point:
            told = _told(space, past)
            if self.base_estimator == _GP:
                told = _most_telling(told)
            if len(past) < self.n_initial_points or not told or not space.free:
                return random_point(space, len(past), seed)
            point = self._best(space, told, seed_at(seed, len(past), "skopt"))
            # A model that is sure of itself asks for the same again, which teaches it nothing.
            if space.size is None and any(one.assignments == point for one in past):
                return random_point(space, len(past), seed)
            return point

        return one_by_one(choose, history, count)

    def _best(self, space: Space, told: Sequence[_Told], seed: int) -> Point:
        optimizer = Optimizer(
            [_dimension(dimension) for dimension in space.free],
            base_estimator=_quantiles(seed)
            if self.base_estimator == _GBRT
            else self.base_estimator,
            n_initial_points=0,
            acq_func=self._criterion(seed),
            acq_optimizer=self._optimizer(),
            random_state=seed,
        )
        timed = self.acq_func.endswith("ps")
        # For matrices as small as ours two threads take three times as long as one.
        with warnings.catch_warnings(), _threads.limit(limits=1):
            # What it warns of (a point asked for twice, a length scale at its bound) is no news.
            warnings.simplefilter("ignore")
            optimizer.tell(
                [list(one.place) for one in told],
                [(one.loss, one.seconds) if timed else one.loss for one in told],
            )
            chosen = iter(optimizer.ask())
        shares = (_share(d, next(chosen)) if d in space.free else 0.5 for d in space.dimensions)
        return space.point(shares)

    def _criterion(self, seed: int) -> str:
        if self.acq_func != "gp_hedge":
            return self.acq_func
        return _HEDGED[seed_at(seed, 0, "gp_hedge") % len(_HEDGED)]

    def _optimizer(self) -> str:
        """Say what `auto` is; left to itself scikit-optimize takes gradients of trees."""
        if self.acq_optimizer != "auto":
            return self.acq_optimizer
        return "auto" if self.base_estimator == _GP else "sampling"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One trial as scikit-optimize is told of it."""

    place: tuple[float, ...]
    loss: float
    seconds: float


def _told(space: Space, history: History) -> list[_Told]:
    """Return every trial with a loss, and the running ones with the best; none without a loss."""
    losses = [past.loss for past in history if past.loss is not None]
    times = [past.seconds for past in history if past.seconds is not None]
    usual = statistics.median(times) if times else 1.0
    told: list[_Told] = []
    for past in history:
        place = _place(space, past)
        loss = min(losses, default=None) if past.loss is None and past.running else past.loss
        if place is not None and loss is not None:
            loss = min(max(loss, -_LARGEST), _LARGEST)
            seconds = max(usual if past.seconds is None else past.seconds, _ALMOST_NO_TIME)
            told.append(_Told(place=place, loss=loss, seconds=seconds))
    return told


def _most_telling(told: list[_Told]) -> list[_Told]:
    """Return the newest trials and, of the others, the best: no more than the model can take."""
    newest = told[-(_MOST_TOLD // 2) :]
    older = sorted(told[: -len(newest)], key=lambda one: one.loss) if newest else []
    return older[: _MOST_TOLD - len(newest)] + newest


def _place(space: Space, past: Past) -> tuple[float, ...] | None:
    texts = space.texts(past.assignments)
    if texts is None:
        return None
    place: list[float] = []
    for dimension, text in zip(space.dimensions, texts, strict=True):
        if dimension.size == 1:
            continue
        where = dimension.share(text) if dimension.cells is None else dimension.index(text)
        if where is None:
            return None
        place.append(where)
    return tuple(place)


def _dimension(dimension: Dimension) -> Real | Integer | Categorical:
    if isinstance(dimension, Listed):
        return Categorical(range(dimension.size))
    if dimension.cells is None:
        return Real(0.0, 1.0)
    return Integer(0, dimension.cells - 1)


def _share(dimension: Dimension, chosen: float) -> float:
    return float(chosen) if dimension.cells is None else (int(chosen) + 0.5) / dimension.cells


class _Quantiles(GradientBoostingQuantileRegressor):  # type: ignore[misc]  # it has no types
    """Gradient boosting with its spread, for today's scikit-learn and NumPy.

    scikit-optimize 0.10 names its bases in an order in which scikit-learn from 1.6 on finds no
    regressor, and calls `numpy.in1d`, which is gone.
    """

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor"
        tags.regressor_tags = RegressorTags()
        return tags

    def predict(
        self,
        X: NDArray[np.float64],  # noqa: N803 - its name there
        *,
        return_std: bool = False,
    ) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
        low, middle, high = (regressor.predict(X) for regressor in self.regressors_)
        return (middle, (high - low) / 2) if return_std else middle


def _quantiles(seed: int) -> _Quantiles:
    trees = GradientBoostingRegressor(n_estimators=30, loss="quantile")
    return _Quantiles(base_estimator=trees, random_state=seed)


def _judge(space: Space, spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    estimator = values.get("base_estimator", _GP)
    if values.get("acq_optimizer") != "lbfgs" or spec.algorithm is None:
        return
    names = [setting.name for setting in spec.algorithm.settings]
    path = f"{SETTINGS}[{names.index('acq_optimizer')}].value"
    if estimator != _GP:
        why = (
            f"lbfgs needs a model with a gradient, which {estimator} is not; write auto or"
            " sampling, or take base_estimator GP"
        )
        yield invalid(path, "lbfgs", why)
    elif all(isinstance(dimension, Listed) for dimension in space.free):
        why = "lbfgs needs a parameter of type double or int; write auto or sampling"
        yield invalid(path, "lbfgs", why)


_NOT_SUPPORTED = "{} is not supported in Bayesian optimization"

ALGORITHM = Algorithm(
    make=BayesianOptimization,
    rules=(
        one_of("base_estimator", _ESTIMATORS, f"base_estimator {_NOT_SUPPORTED}"),
        whole(
            "n_initial_points", least=0, why="n_initial_points should be great or equal than zero"
        ),
        one_of("acq_func", _CRITERIA, f"acq_func {_NOT_SUPPORTED}"),
        one_of("acq_optimizer", _OPTIMIZERS, f"acq_optimizer {_NOT_SUPPORTED}"),
    ),
    judge=_judge,
)
