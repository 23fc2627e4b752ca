"""Every combination of base_estimator, acq_func and acq_optimizer works or is refused."""

from __future__ import annotations

import itertools

import pytest

from api.errors import SpecError
from api.types import ParameterSpec
from suggestion.algorithms import bayesian
from suggestion.core.registry import find
from suggestion.core.search_task import search_task_of
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.controller_requests import experiment
from tests.suggestion.search_spaces import MIXED, PLANE, built, categorical, discrete, fits, values

ESTIMATORS = ("GP", "RF", "ET", "GBRT")
CRITERIA = ("gp_hedge", "LCB", "EI", "PI", "EIps", "PIps")
LISTS = (categorical("c", *"abcdef"), discrete("d", *"123456"))
HISTORY_OF: dict[tuple[ParameterSpec, ...], History] = {
    specs: tuple(
        PastTrial(assignments=point, loss=float(i % 5), seconds=float(i % 3))
        for i, point in enumerate(find("random").make().suggest(built(*specs), (), 9, 4))
    )
    for specs in (MIXED, LISTS)
}


def works(specs: tuple[ParameterSpec, ...], **settings: str) -> None:
    spec = experiment("bayesianoptimization", specs, {"n_initial_points": "3", **settings}).spec
    task = search_task_of(spec)
    (point,) = task.search.suggest(task.space, HISTORY_OF[specs], 1, 1)
    assert all(fits(s, a.value) for s, a in zip(specs, point, strict=True))


def refusal(specs: tuple[ParameterSpec, ...], **settings: str) -> str:
    with pytest.raises(SpecError) as refused:
        search_task_of(experiment("bayesianoptimization", specs, settings).spec)
    return str(refused.value)


@pytest.mark.parametrize(
    ("estimator", "criterion", "optimizer"),
    [
        *itertools.product(ESTIMATORS, CRITERIA, ("auto", "sampling")),
        *itertools.product(("GP",), CRITERIA, ("lbfgs",)),
    ],
)
def test_each_allowed_combination_returns_points_of_the_space(
    estimator: str, criterion: str, optimizer: str
) -> None:
    works(MIXED, base_estimator=estimator, acq_func=criterion, acq_optimizer=optimizer)


@pytest.mark.parametrize(
    ("estimator", "criterion"), [*itertools.product(("RF", "ET", "GBRT"), CRITERIA)]
)
def test_lbfgs_is_refused_with_trees(estimator: str, criterion: str) -> None:
    line = refusal(MIXED, acq_optimizer="lbfgs", base_estimator=estimator, acq_func=criterion)

    assert line == (
        'spec.algorithm.algorithmSettings[0].value: Invalid value: "lbfgs": lbfgs needs a model'
        f" with a gradient, and {estimator} has none; write auto or sampling, or take"
        " base_estimator GP"
    )


@pytest.mark.parametrize(
    ("estimator", "optimizer"), [*itertools.product(ESTIMATORS, ("auto", "sampling"))]
)
def test_a_space_of_lists_only_works(estimator: str, optimizer: str) -> None:
    works(LISTS, base_estimator=estimator, acq_optimizer=optimizer)


def test_lbfgs_is_refused_with_lists_only() -> None:
    assert "lbfgs needs a parameter of type double or int; write auto" in refusal(
        LISTS, acq_optimizer="lbfgs"
    )


@pytest.mark.parametrize("criterion", ["EIps", "PIps"])
def test_a_criterion_per_second_prefers_short_trials(criterion: str) -> None:
    """All losses are equal except for noise: the trials differ only in seconds, which grow with `x`."""
    space = built(PLANE[0])
    search = find("bayesianoptimization").make(n_initial_points=3, acq_func=criterion)
    points = find("random").make().suggest(space, (), 12, 4)
    history = tuple(
        PastTrial(assignments=p, loss=0.01 * (i % 2), seconds=10 ** (float(p[0].value) / 2 + 3))
        for i, p in enumerate(points)
    )
    chosen = [float(values(search.suggest(space, history, 1, seed)[0])["x"]) for seed in range(5)]

    assert sorted(chosen)[2] < 2.5  # the middle of the range


def test_a_gaussian_process_is_fitted_to_the_newest_and_the_best_of_many_trials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One early trial was good: the trials between it and the newest do not change the suggestion."""
    monkeypatch.setattr(bayesian, "_MOST_FITTED", 12)
    space = built(*PLANE)
    points = find("random").make().suggest(space, (), 40, 4)
    losses = [0.0 if i == 3 else {20: 9.0, 39: 5.0}.get(i, 1.0 + i / 100) for i in range(40)]
    history = tuple(PastTrial(assignments=p, loss=y) for p, y in zip(points, losses, strict=True))
    search = find("bayesianoptimization").make(acq_func="EI")

    def without(index: int) -> History:
        return (*history[:index], PastTrial(assignments=points[index]), *history[index + 1 :])

    whole = search.suggest(space, history, 1, 1)
    assert search.suggest(space, without(20), 1, 1) == whole
    assert search.suggest(space, without(3), 1, 1) != whole
    assert search.suggest(space, without(39), 1, 1) != whole
