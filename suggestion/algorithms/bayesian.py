"""`bayesianoptimization`: fits a model of the objective, and returns the most promising point.

scikit-optimize fits the model to the history again for each suggestion. Its own optimizer keeps two
things between suggestions that a history does not have:

* `gp_hedge` weighs three criteria by their success so far. Here all three have equal weight: one is
  drawn for each trial.
* Running trials count as ended with the best loss so far. scikit-optimize does the same (`cl_min`)
  for several points at once.

A Gaussian process (GP) is fitted to at most 250 trials: the newest, and the best of the others.

Combinations of settings, with scikit-optimize 0.10 and scikit-learn 1.9:

| base_estimator | acq_optimizer auto | sampling | lbfgs |
|---|---|---|---|
| GP | lbfgs | works | works |
| GP, if every parameter is a list | sampling | works | refused: lists have no gradient |
| RF, ET, GBRT | sampling | works | refused: trees have no gradient |

Every acq_func works with each of these; EIps and PIps take the seconds of each trial into account.
GBRT needs `_quantiles`, because scikit-learn and NumPy have changed since.
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
from suggestion.algorithms.random_search import random_point
from suggestion.core.algorithm import SETTINGS, Algorithm, Values, one_of, whole
from suggestion.core.dimensions import Dimension, Listed
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial, one_by_one, seed_at

_threads = ThreadpoolController()
_GP, _GBRT = "GP", "GBRT"
_ESTIMATORS = (_GP, "RF", "ET", _GBRT)
_CRITERIA = ("gp_hedge", "LCB", "EI", "PI", "EIps", "PIps")
_HEDGED = ("EI", "LCB", "PI")
"""The criteria of gp_hedge."""
_OPTIMIZERS = ("auto", "sampling", "lbfgs")
_LARGEST = 1e100
"""A larger loss counts as this one, because the model squares losses."""
_MOST_FITTED = 250
"""Trials that a Gaussian process is fitted to: its time grows with the cube of their number."""
_ALMOST_NO_TIME = 1e-3
"""Seconds in place of 0: the model takes the logarithm, and time stamps have whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesianOptimization:
    """scikit-optimize's, with its settings and defaults."""

    base_estimator: str = _GP
    n_initial_points: int = 10
    acq_func: str = "gp_hedge"
    acq_optimizer: str = "auto"

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Choose the next points; the first `n_initial_points` are random."""

        def choose(past: History) -> Point:
            evaluations = _evaluations(space, past)
            if self.base_estimator == _GP:
                evaluations = _most_useful(evaluations)
            if len(past) < self.n_initial_points or not evaluations or not space.free:
                return random_point(space, len(past), seed)
            point = self._best(space, evaluations, seed_at(seed, len(past), "skopt"))
            # A model that is certain may return a known point, from which it cannot learn.
            if space.size is None and any(trial.assignments == point for trial in past):
                return random_point(space, len(past), seed)
            return point

        return one_by_one(choose, history, count)

    def _best(self, space: SearchSpace, evaluations: Sequence[_Evaluation], seed: int) -> Point:
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
        # For matrices of this size, two threads take three times as long as one.
        with warnings.catch_warnings(), _threads.limit(limits=1):
            # It warns of points that it gets twice and of length scales at their bounds: harmless.
            warnings.simplefilter("ignore")
            optimizer.tell(
                [list(one.place) for one in evaluations],
                [(one.loss, one.seconds) if timed else one.loss for one in evaluations],
            )
            chosen = iter(optimizer.ask())
        shares = (_share(d, next(chosen)) if d in space.free else 0.5 for d in space.dimensions)
        return space.point(shares)

    def _criterion(self, seed: int) -> str:
        if self.acq_func != "gp_hedge":
            return self.acq_func
        return _HEDGED[seed_at(seed, 0, "gp_hedge") % len(_HEDGED)]

    def _optimizer(self) -> str:
        """Return the optimizer: for `auto`, scikit-optimize wrongly takes gradients of trees."""
        if self.acq_optimizer != "auto":
            return self.acq_optimizer
        return "auto" if self.base_estimator == _GP else "sampling"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evaluation:
    """One trial for scikit-optimize."""

    place: tuple[float, ...]
    loss: float
    seconds: float


def _evaluations(space: SearchSpace, history: History) -> list[_Evaluation]:
    """Return the trials with a loss, and the running trials with the best loss, if there is one."""
    losses = [past.loss for past in history if past.loss is not None]
    times = [past.seconds for past in history if past.seconds is not None]
    median_time = statistics.median(times) if times else 1.0
    evaluations: list[_Evaluation] = []
    for past in history:
        place = _place(space, past)
        loss = min(losses, default=None) if past.loss is None and past.running else past.loss
        if place is not None and loss is not None:
            loss = min(max(loss, -_LARGEST), _LARGEST)
            seconds = max(median_time if past.seconds is None else past.seconds, _ALMOST_NO_TIME)
            evaluations.append(_Evaluation(place=place, loss=loss, seconds=seconds))
    return evaluations


def _most_useful(evaluations: list[_Evaluation]) -> list[_Evaluation]:
    """Return the newest trials, and the best of the others: at most `_MOST_FITTED`."""
    newest = evaluations[-(_MOST_FITTED // 2) :]
    older = sorted(evaluations[: -len(newest)], key=lambda one: one.loss) if newest else []
    return older[: _MOST_FITTED - len(newest)] + newest


def _place(space: SearchSpace, past: PastTrial) -> tuple[float, ...] | None:
    texts = space.texts(past.assignments)
    if texts is None:
        return None
    place: list[float] = []
    for dimension, text in zip(space.dimensions, texts, strict=True):
        if dimension.size == 1:
            continue
        coordinate = dimension.share(text) if dimension.cells is None else dimension.index(text)
        if coordinate is None:
            return None
        place.append(coordinate)
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
    """Gradient boosting with its spread, for current scikit-learn and NumPy.

    scikit-optimize 0.10 has its base classes in an order in which scikit-learn 1.6 and later finds
    no regressor. It also calls `numpy.in1d`, which NumPy has removed.
    """

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "regressor"
        tags.regressor_tags = RegressorTags()
        return tags

    def predict(
        self,
        X: NDArray[np.float64],  # noqa: N803 - the name in scikit-learn
        *,
        return_std: bool = False,
    ) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.float64]]:
        low, middle, high = (regressor.predict(X) for regressor in self.regressors_)
        return (middle, (high - low) / 2) if return_std else middle


def _quantiles(seed: int) -> _Quantiles:
    trees = GradientBoostingRegressor(n_estimators=30, loss="quantile")
    return _Quantiles(base_estimator=trees, random_state=seed)


def _validate(space: SearchSpace, spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    estimator = values.get("base_estimator", _GP)
    if values.get("acq_optimizer") != "lbfgs" or spec.algorithm is None:
        return
    names = [setting.name for setting in spec.algorithm.settings]
    path = f"{SETTINGS}[{names.index('acq_optimizer')}].value"
    if estimator != _GP:
        why = (
            f"lbfgs needs a model with a gradient, and {estimator} has none; write auto or"
            " sampling, or take base_estimator GP"
        )
        yield invalid(path, "lbfgs", why)
    elif all(isinstance(dimension, Listed) for dimension in space.free):
        why = "lbfgs needs a parameter of type double or int; write auto or sampling"
        yield invalid(path, "lbfgs", why)


_NOT_SUPPORTED = "{} is not supported in Bayesian optimization"

INITIAL_POINTS = whole(
    "n_initial_points", least=0, why="n_initial_points should be great or equal than zero"
)
CRITERION = one_of("acq_func", _CRITERIA, f"acq_func {_NOT_SUPPORTED}")

ALGORITHM = Algorithm(
    make=BayesianOptimization,
    rules=(
        one_of("base_estimator", _ESTIMATORS, f"base_estimator {_NOT_SUPPORTED}"),
        INITIAL_POINTS,
        CRITERION,
        one_of("acq_optimizer", _OPTIMIZERS, f"acq_optimizer {_NOT_SUPPORTED}"),
    ),
    validate=_validate,
)
