"""For every algorithm, space and history, a suggestion is a point of the space."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suggestion.core.algorithm import Search
from suggestion.core.registry import find
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.search_spaces import (
    EVERYTHING,
    built,
    double,
    fits,
    histories,
    integer,
    spaces,
)

QUICK = (
    "random",
    "sobol",
    "qmc",
    "tpe",
    "multivariate-tpe",
    "cmaes",
    "bayesianoptimization",
    "gp",
    "auto",
)
EVERY = (*QUICK, "grid")
EXAMPLES = {"bayesianoptimization": 8, "gp": 4, "auto": 40, "tpe": 40, "multivariate-tpe": 40}


def search(name: str) -> Search:
    if name == "bayesianoptimization":  # algorithms/test_bayesian.py has its other settings
        return find(name).make(n_initial_points=3, acq_optimizer="sampling")
    if name == "gp":
        return find(name).make(n_initial_points=3)
    return find(name).make()


@pytest.mark.parametrize("name", QUICK)
def test_every_assignment_is_a_value_of_its_parameter(name: str) -> None:
    @settings(max_examples=EXAMPLES.get(name, 100))
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        specs = data.draw(spaces())
        if name == "cmaes":
            specs = (*specs, double("x", "-1", "1"), integer("i", "0", "7"))
        space = built(*specs)
        history = data.draw(histories(space))
        points = search(name).suggest(space, history, 2, data.draw(st.integers(0, 2**31)))
        assert len(points) == 2
        for point in points:
            assert [assignment.name for assignment in point] == [spec.name for spec in specs]
            assert all(fits(spec, a.value) for spec, a in zip(specs, point, strict=True))

    holds()


@pytest.mark.parametrize("name", QUICK)
def test_asking_for_four_points_equals_asking_four_times_for_one(name: str) -> None:
    space = built(*EVERYTHING)
    history = _played(name, 13)
    at_once = search(name).suggest(space, history, 4, 5)

    one_by_one = []
    for _ in range(4):
        (point,) = search(name).suggest(space, history, 1, 5)
        one_by_one.append(point)
        history = (*history, PastTrial(assignments=point, running=True))

    assert list(at_once) == one_by_one


@pytest.mark.parametrize("name", QUICK)
def test_another_replica_gives_the_same_answer(name: str) -> None:
    history = _played(name, 12)

    first, second = (search(name).suggest(built(*EVERYTHING), history, 3, 9) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("name", QUICK)
def test_another_seed_gives_another_answer(name: str) -> None:
    history = _played(name, 12)
    space = built(*EVERYTHING)

    assert search(name).suggest(space, history, 3, 1) != search(name).suggest(space, history, 3, 2)


@pytest.mark.parametrize("name", QUICK)
def test_a_suggestion_depends_on_the_history(name: str) -> None:
    """A different loss changes the points of a model, and no point of a search without a model."""
    space = built(*EVERYTHING)
    history = _played(name, 24)
    turned = tuple(PastTrial(assignments=p.assignments, loss=-(p.loss or 0)) for p in history)

    same = search(name).suggest(space, history, 2, 1) == search(name).suggest(space, turned, 2, 1)

    assert same == (name in ("random", "sobol", "qmc"))


@pytest.mark.parametrize("name", QUICK)
def test_fifty_suggestions_one_by_one_are_fifty_different_points(name: str) -> None:
    space = built(double("x", "-5", "10"), double("y", "1e-6", "1"))
    # A model of scikit-optimize takes long; `python -m bench suggestion` has it for all of them.
    few = {"n_initial_points": 40} if name in ("bayesianoptimization", "gp") else {}
    asked = find(name).make(**few)
    history: History = ()
    for _ in range(50):
        (point,) = asked.suggest(space, history, 1, 3)
        x, y = (float(a.value) for a in point)
        history = (*history, PastTrial(assignments=point, loss=(x - 2) ** 2 + y))

    assert len({past.assignments for past in history}) == 50


@pytest.mark.parametrize("name", EVERY)
def test_asking_for_no_points_returns_none(name: str) -> None:
    space = built(integer("a", "1", "3"), integer("b", "1", "3"))

    assert search(name).suggest(space, (), 0, 1) == ()


@pytest.mark.parametrize("name", QUICK)
def test_a_history_of_failed_trials_does_not_stop_a_search(name: str) -> None:
    space = built(*EVERYTHING)
    failed = tuple(PastTrial(assignments=past.assignments) for past in _played(name, 20))

    (point,) = search(name).suggest(space, failed, 1, 1)

    assert all(fits(s, a.value) for s, a in zip(EVERYTHING, point, strict=True))


@pytest.mark.parametrize("name", QUICK)
def test_a_trial_of_another_space_is_ignored(name: str) -> None:
    small = built(double("x", "0", "1"), double("y", "0", "1"))
    large = built(double("x", "0", "9"), double("y", "0", "9"))
    foreign = tuple(
        PastTrial(assignments=large.point((0.9, i / 20)), loss=float(i)) for i in range(20)
    )

    (point,) = search(name).suggest(small, foreign, 1, 1)

    assert all(0 <= float(a.value) <= 1 for a in point)


@pytest.mark.parametrize(
    "name", [name for name in EVERY if name != "cmaes"]
)  # it refuses such spaces
def test_in_a_space_of_one_point_every_suggestion_is_this_point(name: str) -> None:
    space = built(integer("a", "3", "3"), double("b", "0.5", "0.5"))

    (point,) = search(name).suggest(space, (), 1, 1)

    assert [a.value for a in point] == ["3", "0.5"]


def _played(name: str, count: int) -> History:
    """A history of random points, some of them running and some failed; each with its own seed."""
    space = built(*EVERYTHING)
    points = find("random").make().suggest(space, (), count, len(name))
    return tuple(
        PastTrial(
            assignments=point,
            loss=None if i % 5 == 3 else float(i * 7 % 11),
            running=i % 10 == 3,
        )
        for i, point in enumerate(points)
    )
