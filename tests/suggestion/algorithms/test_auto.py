"""Which search `auto` takes, and what it says of it."""

from __future__ import annotations

import pytest

from api.types import ParameterSpec
from suggestion.algorithms.auto import Auto
from suggestion.core.registry import find
from suggestion.core.search_task import search_task_of
from tests.suggestion.controller_requests import experiment
from tests.suggestion.search_spaces import PLANE, built, categorical, double, integer

LIST = categorical("c", "a", "b")
MANY = tuple(double(f"x{i}", "0", "1") for i in range(21))


@pytest.mark.parametrize(
    ("parameters", "budget", "parallel", "algorithm", "reason"),
    [
        ((integer("a", "3", "3"),), 9, 3, "random", "every parameter has one value only"),
        ((integer("a", "1", "3"), LIST), 6, 3, "grid", "all 6 combinations fit into 6 trials"),
        ((integer("a", "1", "3"), LIST), 5, 3, "qmc", "3 of 5 trials run at the same time, so few"),
        (PLANE, 20, 10, "qmc", "10 of 20 trials run at the same time"),
        (PLANE, 21, 10, "gp", "a Gaussian process can learn from all of 21 trials"),
        (PLANE, 250, 1, "gp", "a Gaussian process can learn from all of 250 trials"),
        (PLANE, 251, 1, "multivariate-tpe", "251 trials are many"),
        (PLANE, 1001, 1, "cmaes", "1001 trials are enough generations"),
        ((*PLANE, LIST), 1001, 1, "multivariate-tpe", "1001 trials are many"),
        (PLANE[:1], 1001, 1, "multivariate-tpe", "1001 trials are many"),
        (MANY, 100, 1, "tpe", "21 parameters are too many"),
        (PLANE, None, 3, "multivariate-tpe", "maxTrialCount is not set"),
        ((LIST,), None, 3, "multivariate-tpe", "maxTrialCount is not set"),
    ],
)
def test_the_search_fits_the_experiment(
    parameters: tuple[ParameterSpec, ...],
    budget: int | None,
    parallel: int,
    algorithm: str,
    reason: str,
) -> None:
    search, space = Auto(budget=budget, parallel=parallel), built(*parameters)
    choice = search.choice(space)

    assert choice.algorithm == algorithm
    assert choice.reason.startswith(reason)
    assert search.explain(space) == f"auto chose {algorithm}: {choice.reason}"
    assert search.suggest(space, (), 2, 5) == find(algorithm).make().suggest(space, (), 2, 5)


def test_the_budget_is_that_of_the_experiment() -> None:
    task = search_task_of(experiment("auto", PLANE, most=30).spec)

    assert task.explanation == "auto chose gp: a Gaussian process can learn from all of 30 trials"
    proposal = task.propose((), 0, 1, 7)
    assert {one.name: one.value for one in proposal.settings} == {
        "chosen": "gp",
        "reason": "a Gaussian process can learn from all of 30 trials",
    }
    assert search_task_of(experiment("tpe", PLANE).spec).explanation == ""
