"""Stateless search compared with the libraries' own stateful runs, and with random search.

Each search gets the same trials and the same seeds. The measure is the distance of the best trial
from the function's minimum, as the median over the seeds. `x library` is our distance divided by
the library's, `x random` by random search's. The brackets show the influence of chance: nine in ten
of such ratios, if seeds are drawn again from these (a bootstrap). If the bracket holds 1, the
difference is not significant.
"""

from __future__ import annotations

import math
import random
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import cmaes
import numpy as np
import optuna
from rich.console import Console
from rich.table import Table
from skopt import Optimizer
from skopt.space import Categorical, Integer, Real
from threadpoolctl import threadpool_limits

from api.types import Distribution, FeasibleSpace, ParameterSpec, ParameterType
from suggestion.algorithms.tpe import good_trials
from suggestion.core.registry import find
from suggestion.core.search_space import Point, space_of
from suggestion.core.trial_history import History, PastTrial

if TYPE_CHECKING:
    import argparse

Values = dict[str, Any]
"""By parameter name: its number, or a text of its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function to minimize: `loss` takes the values by name; `least` is its minimum."""

    name: str
    parameters: tuple[ParameterSpec, ...]
    loss: Callable[[Values], float]
    least: float


def _double(name: str, low: float, high: float, *, log: bool = False) -> ParameterSpec:
    distribution = Distribution.LOG_UNIFORM if log else Distribution.UNIFORM
    space = FeasibleSpace(min=repr(low), max=repr(high), distribution=distribution)
    return ParameterSpec(name=name, type=ParameterType.DOUBLE, space=space)


def _sphere(values: Values) -> float:
    return math.fsum((value - 1.2) ** 2 for value in values.values())


def _branin(values: Values) -> float:
    x, y = float(values["x"]), float(values["y"])
    bend = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


_HARTMANN_WEIGHTS = (1.0, 1.2, 3.0, 3.2)
_HARTMANN_SCALES = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_HARTMANN_PITS = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def _hartmann(values: Values) -> float:
    x = np.array([values[f"x{i}"] for i in range(6)])
    depths = np.exp(-np.sum(_HARTMANN_SCALES * (x - _HARTMANN_PITS) ** 2, axis=1))
    return -float(np.dot(_HARTMANN_WEIGHTS, depths))


_PENALTIES = {"adam": 0.0, "sgd": 0.4, "ftrl": 0.8}


def _mixed(values: Values) -> float:
    """A model of training: rate, depth and momentum have an optimum; one optimizer is better."""
    rate = (math.log10(values["rate"]) + 2.5) ** 2
    depth = 0.1 * abs(int(values["layers"]) - 4)
    momentum = (float(values["momentum"]) - 0.8) ** 2
    return rate + depth + momentum + _PENALTIES[str(values["optimizer"])]


FUNCTIONS = (
    Function(
        name="sphere, 4 doubles",
        parameters=tuple(_double(f"x{i}", -5.0, 5.0) for i in range(4)),
        loss=_sphere,
        least=0.0,
    ),
    Function(
        name="Branin, 2 doubles",
        parameters=(_double("x", -5.0, 10.0), _double("y", 0.0, 15.0)),
        loss=_branin,
        least=0.397887,
    ),
    Function(
        name="Hartmann-6",
        parameters=tuple(_double(f"x{i}", 0.0, 1.0) for i in range(6)),
        loss=_hartmann,
        least=-3.32237,
    ),
    Function(
        name="mixed, 1 list",
        parameters=(
            _double("rate", 1e-5, 1.0, log=True),
            _double("momentum", 0.0, 1.0),
            ParameterSpec(
                name="layers",
                type=ParameterType.INT,
                space=FeasibleSpace(min="1", max="8"),
            ),
            ParameterSpec(
                name="optimizer",
                type=ParameterType.CATEGORICAL,
                space=FeasibleSpace(list=tuple(_PENALTIES)),
            ),
        ),
        loss=_mixed,
        least=0.0,
    ),
)

_READ = {ParameterType.DOUBLE: float, ParameterType.INT: int, ParameterType.CATEGORICAL: str}


def ours(
    name: str, function: Function, trials: int, seed: int, settings: Values | None = None
) -> float:
    """Return the least loss of a run that suggests one trial at a time from the history."""
    search, space = find(name).make(**(settings or {})), space_of(function.parameters)
    history: History = ()
    for _ in range(trials):
        (point,) = search.suggest(space, history, 1, seed)
        history = (*history, PastTrial(assignments=point, loss=_loss_at(function, point)))
    return min(past.loss for past in history if past.loss is not None)


def _loss_at(function: Function, point: Point) -> float:
    kinds = {spec.name: spec.type for spec in function.parameters}
    return function.loss({a.name: _READ[kinds[a.name]](a.value) for a in point})


def library_optuna(
    sampler: Callable[[int], optuna.samplers.BaseSampler],
    function: Function,
    trials: int,
    seed: int,
) -> float:
    """Return the least loss of one study with one sampler, in the usual way of Optuna."""
    study = optuna.create_study(sampler=sampler(seed))
    study.optimize(lambda trial: function.loss(_suggested(trial, function)), trials)
    return float(study.best_value)


def _suggested(trial: optuna.Trial, function: Function) -> Values:
    values: Values = {}
    for spec in function.parameters:
        space, log = spec.space, spec.space.distribution is Distribution.LOG_UNIFORM
        if spec.type is ParameterType.DOUBLE:
            low, high = float(space.min), float(space.max)
            values[spec.name] = trial.suggest_float(spec.name, low, high, log=log)
        elif spec.type is ParameterType.INT:
            values[spec.name] = trial.suggest_int(spec.name, int(space.min), int(space.max))
        else:
            values[spec.name] = trial.suggest_categorical(spec.name, space.list)
    return values


def library_cmaes(function: Function, trials: int, seed: int) -> float:
    """Return the least loss of one optimizer of the package cmaes; only for doubles."""
    space = space_of(function.parameters)
    dimensions = len(space.dimensions)
    optimizer = cmaes.CMA(
        mean=np.full(dimensions, 0.5),
        sigma=1 / 6,
        bounds=np.tile([0.0, 1.0], (dimensions, 1)),
        seed=seed,
    )
    losses: list[float] = []
    measured: list[tuple[Any, float]] = []
    for _ in range(trials):
        place = optimizer.ask()
        losses.append(_loss_at(function, space.point(map(float, place))))
        measured.append((place, losses[-1]))
        if len(measured) == optimizer.population_size:
            optimizer.tell(measured)
            measured = []
    return min(losses)


def library_skopt(function: Function, trials: int, seed: int, n_initial_points: int = 10) -> float:
    """Return the least loss of one optimizer of scikit-optimize."""
    names = [spec.name for spec in function.parameters]
    space = [_skopt(spec) for spec in function.parameters]
    optimizer = Optimizer(space, n_initial_points=n_initial_points, random_state=seed)
    losses: list[float] = []
    with warnings.catch_warnings(), threadpool_limits(1):  # the fastest setting
        warnings.simplefilter("ignore")
        for _ in range(trials):
            place = optimizer.ask()
            losses.append(function.loss(dict(zip(names, place, strict=True))))
            optimizer.tell(place, losses[-1])
    return min(losses)


def _skopt(spec: ParameterSpec) -> Real | Integer | Categorical:
    space = spec.space
    if spec.type is ParameterType.DOUBLE:
        log = space.distribution is Distribution.LOG_UNIFORM
        return Real(float(space.min), float(space.max), prior="log-uniform" if log else "uniform")
    if spec.type is ParameterType.INT:
        return Integer(int(space.min), int(space.max))
    return Categorical(space.list)


def _tpe(seed: int) -> optuna.samplers.TPESampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Optuna 5 deprecates gamma
        return optuna.samplers.TPESampler(
            seed=seed, multivariate=False, gamma=partial(good_trials, 0.25), constant_liar=True
        )


def _multivariate_tpe(seed: int) -> optuna.samplers.TPESampler:
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)


Library = Callable[[Function, int, int], float]

LIBRARIES: dict[str, Library] = {
    "tpe": partial(library_optuna, _tpe),
    "multivariate-tpe": partial(library_optuna, _multivariate_tpe),
    "cmaes": library_cmaes,
    "bayesianoptimization": library_skopt,
}


def gap(run: Callable[[int], float], function: Function, seeds: Sequence[int]) -> float:
    """Return the median over the seeds of a run's distance to the minimum."""
    return statistics.median(run(seed) - function.least for seed in seeds)


def run(arguments: argparse.Namespace) -> None:
    """Print both tables."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seeds = range(arguments.seeds)
    # The runs are not timed, so they may run in parallel.
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_quiet) as pool:
        console = Console(width=120)
        console.print(f"gap to the minimum after {arguments.trials} trials, {len(seeds)} seeds")
        for function in FUNCTIONS:  # print each result at once: all four take half an hour
            if function.name.startswith(arguments.function):
                compared = _compared(function, arguments.trials, seeds, pool, arguments.search)
                console.print(compared)
    if arguments.search is None:
        _speed()


def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _compared(
    function: Function, trials: int, seeds: Sequence[int], pool: Executor, search: str | None = None
) -> Table:
    table = Table(title=function.name)
    for heading in ("algorithm", "ours", "library", "x library", "x random"):
        table.add_column(heading, justify="left" if heading == "algorithm" else "right")

    def gaps(run: Callable[[int], float]) -> list[float]:
        return [found - function.least for found in pool.map(run, seeds)]

    dice = gaps(partial(ours, "random", function, trials))
    table.add_row("random", f"{statistics.median(dice):.3g}", "", "", "1")
    if search is None:
        sobol = gaps(partial(ours, "sobol", function, trials))
        table.add_row("sobol", f"{statistics.median(sobol):.3g}", "", "", _multiple(sobol, dice))
    for name, library in _fitting(function):
        if search not in (None, name):
            continue
        own = gaps(partial(ours, name, function, trials))
        cells = (f"{statistics.median(own):.3g}", "knows no lists", "")
        if library is not None:
            theirs = gaps(partial(library, function, trials))
            cells = (cells[0], f"{statistics.median(theirs):.3g}", _multiple(own, theirs))
        table.add_row(name, *cells, _multiple(own, dice))
    return table


def _multiple(own: Sequence[float], other: Sequence[float]) -> str:
    """Return the ratio of two medians as text, with its 90 % range."""
    dice = random.Random(1)  # noqa: S311 - no secrets
    again = sorted(
        statistics.median(dice.choices(own, k=len(own)))
        / statistics.median(dice.choices(other, k=len(other)))
        for _ in range(1000)
    )
    found = statistics.median(own) / statistics.median(other)
    return f"{found:.2g} [{again[50]:.2g}-{again[950]:.2g}]"


def _fitting(function: Function) -> Iterator[tuple[str, Library | None]]:
    """Yield the algorithms with their libraries' own runs; None if the library has none."""
    lists = any(spec.type is ParameterType.CATEGORICAL for spec in function.parameters)
    for name, library in LIBRARIES.items():
        yield name, None if lists and name == "cmaes" else library


def _speed() -> None:
    title = (
        "CPU milliseconds for one suggestion, by trials in the history (Hartmann-6; grid: 6 ints),"
        " if the search was asked about all but the last trial before"
    )
    table = Table(title=title)
    table.add_column("algorithm")
    counts = (100, 1000, 5000, 20_000)
    for heading in (*map(str, counts), "last / first"):
        table.add_column(heading, justify="right")
    function = FUNCTIONS[2]
    for name in ("random", "sobol", "grid", *LIBRARIES):
        costs = [_milliseconds(name, function, count) for count in counts]
        cells = [f"{cost:.2f}" for cost in costs]
        table.add_row(name, *cells, f"{costs[-1] / costs[0]:.1f}")
    Console(width=120).print(table)


def _milliseconds(name: str, function: Function, count: int) -> float:
    parameters = function.parameters
    if name == "grid":
        sixths = FeasibleSpace(min="0", max="6")
        parameters = tuple(
            replace(one, type=ParameterType.INT, space=sixths) for one in function.parameters
        )
    space = space_of(parameters)
    points = find("random").make().suggest(space, (), count, 1)
    history = tuple(PastTrial(assignments=p, loss=float(i % 977)) for i, p in enumerate(points))
    search = find(name).make()
    samples: list[float] = []
    for seed in range(3):
        search.suggest(space, history[:-1], 1, seed)
        start = time.process_time()
        search.suggest(space, history, 1, seed)
        samples.append(time.process_time() - start)
    return 1000 * min(samples)
