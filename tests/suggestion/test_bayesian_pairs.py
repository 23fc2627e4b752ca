"""Every base_estimator with every acq_func and every acq_optimizer: it works, or it is refused."""

from __future__ import annotations

import itertools

import pytest

from api.errors import SpecError
from api.types import ParameterSpec
from suggestion import bayesian
from suggestion.history import History, Past
from suggestion.registry import find
from suggestion.tasks import task_of
from tests.suggestion.controller_requests import experiment
from tests.suggestion.search_spaces import MIXED, PLANE, built, categorical, discrete, fits, values

ESTIMATORS = ("GP", "RF", "ET", "GBRT")
CRITERIA = ("gp_hedge", "LCB", "EI", "PI", "EIps", "PIps")
LISTS = (categorical("c", *"abcdef"), discrete("d", *"123456"))
HISTORY_OF: dict[tuple[ParameterSpec, ...], History] = {
    specs: tuple(
        Past(assignments=point, loss=float(i % 5), seconds=float(i % 3))
        for i, point in enumerate(find("random").make().suggest(built(*specs), (), 9, 4))
    )
    for specs in (MIXED, LISTS)
}


def works(specs: tuple[ParameterSpec, ...], **settings: str) -> None:
    spec = experiment("bayesianoptimization", specs, {"n_initial_points": "3", **settings}).spec
    task = task_of(spec)
    (point,) = task.search.suggest(task.space, HISTORY_OF[specs], 1, 1)
    assert all(fits(s, a.value) for s, a in zip(specs, point, strict=True))


def refusal(specs: tuple[ParameterSpec, ...], **settings: str) -> str:
    with pytest.raises(SpecError) as refused:
        task_of(experiment("bayesianoptimization", specs, settings).spec)
    return str(refused.value)


@pytest.mark.parametrize(
    ("estimator", "criterion", "optimizer"),
    [
        *itertools.product(ESTIMATORS, CRITERIA, ("auto", "sampling")),
        *itertools.product(("GP",), CRITERIA, ("lbfgs",)),
    ],
)
def test_it_works(estimator: str, criterion: str, optimizer: str) -> None:
    works(MIXED, base_estimator=estimator, acq_func=criterion, acq_optimizer=optimizer)


@pytest.mark.parametrize(
    ("estimator", "criterion"), [*itertools.product(("RF", "ET", "GBRT"), CRITERIA)]
)
def test_trees_have_no_gradient(estimator: str, criterion: str) -> None:
    line = refusal(MIXED, acq_optimizer="lbfgs", base_estimator=estimator, acq_func=criterion)

    assert line == (
        'spec.algorithm.algorithmSettings[0].value: Invalid value: "lbfgs": lbfgs needs a model'
        f" with a gradient, which {estimator} is not; write auto or sampling, or take"
        " base_estimator GP"
    )


@pytest.mark.parametrize(
    ("estimator", "optimizer"), [*itertools.product(ESTIMATORS, ("auto", "sampling"))]
)
def test_lists_alone_work(estimator: str, optimizer: str) -> None:
    works(LISTS, base_estimator=estimator, acq_optimizer=optimizer)


def test_lists_alone_have_no_gradient() -> None:
    assert "lbfgs needs a parameter of type double or int; write auto" in refusal(
        LISTS, acq_optimizer="lbfgs"
    )


@pytest.mark.parametrize("criterion", ["EIps", "PIps"])
def test_a_criterion_per_second_prefers_what_is_soon_done(criterion: str) -> None:
    """All losses alike but for noise: only the seconds, which grow with `x`, tell them apart."""
    space = built(PLANE[0])
    search = find("bayesianoptimization").make(n_initial_points=3, acq_func=criterion)
    points = find("random").make().suggest(space, (), 12, 4)
    history = tuple(
        Past(assignments=p, loss=0.01 * (i % 2), seconds=10 ** (float(p[0].value) / 2 + 3))
        for i, p in enumerate(points)
    )
    chosen = [float(values(search.suggest(space, history, 1, seed)[0])["x"]) for seed in range(5)]

    assert sorted(chosen)[2] < 2.5  # the middle of the range


def test_of_many_trials_a_gaussian_process_sees_the_newest_and_the_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One good trial was long ago: what lies between it and the newest changes no answer."""
    monkeypatch.setattr(bayesian, "_MOST_TOLD", 12)
    space = built(*PLANE)
    points = find("random").make().suggest(space, (), 40, 4)
    losses = [0.0 if i == 3 else {20: 9.0, 39: 5.0}.get(i, 1.0 + i / 100) for i in range(40)]
    history = tuple(Past(assignments=p, loss=y) for p, y in zip(points, losses, strict=True))
    search = find("bayesianoptimization").make(acq_func="EI")

    def without(index: int) -> History:
        return (*history[:index], Past(assignments=points[index]), *history[index + 1 :])

    whole = search.suggest(space, history, 1, 1)
    assert search.suggest(space, without(20), 1, 1) == whole
    assert search.suggest(space, without(3), 1, 1) != whole
    assert search.suggest(space, without(39), 1, 1) != whole
