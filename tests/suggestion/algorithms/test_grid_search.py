"""Every combination once, then no more points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suggestion.core.registry import find
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.search_spaces import (
    built,
    categorical,
    discrete,
    double,
    integer,
    spaces,
    values,
)

SEARCH = find("grid").make()
SPACE = built(
    integer("a", "1", "5", step="2"),
    double("b", "0.1", "0.3", step="0.1"),
    categorical("c", "x", "y"),
)


def played(space: SearchSpace, seed: int, at_once: int) -> list[Point]:
    history: History = ()
    while points := SEARCH.suggest(space, history, at_once, seed):
        history += tuple(PastTrial(assignments=point, loss=1.0) for point in points)
        assert len(history) <= 10_000
    return [past.assignments for past in history]


@pytest.mark.parametrize("at_once", [1, 4, 100])
@pytest.mark.parametrize("seed", [0, 1, 99])
def test_each_point_is_visited_once_and_the_grid_ends(seed: int, at_once: int) -> None:
    points = played(SPACE, seed, at_once)

    expected = {
        (a, b, c) for a in ("1", "3", "5") for b in ("0.1", "0.2", "0.3") for c in ("x", "y")
    }
    assert {tuple(values(point).values()) for point in points} == expected
    assert len(points) == len(expected) == SPACE.size


def test_without_a_seed_the_last_parameter_changes_fastest() -> None:
    points = SEARCH.suggest(SPACE, (), 3, 0)

    assert [tuple(values(point).values()) for point in points] == [
        ("1", "0.1", "x"),
        ("1", "0.1", "y"),
        ("1", "0.2", "x"),
    ]


def test_a_seed_shuffles() -> None:
    assert played(SPACE, 1, 4) != played(SPACE, 0, 4)
    assert played(SPACE, 1, 4) != played(SPACE, 2, 4)


@given(data=st.data(), seed=st.integers(0, 5))
def test_any_small_grid_is_visited_once(data: st.DataObject, seed: int) -> None:
    space = built(*data.draw(spaces()))
    if space.size is None or space.size > 60:
        space = built(
            integer("a", "0", str(data.draw(st.integers(0, 30)))), discrete("b", "1", "1")
        )

    points = played(space, seed, 7)

    assert len(points) == len(set(points)) == space.size


def test_the_last_value_below_max_ends_a_step_that_does_not_fit() -> None:
    points = played(built(double("x", "0", "1", step="0.3")), 0, 9)

    assert [values(point)["x"] for point in points] == ["0.0", "0.3", "0.6", "0.9"]


def test_the_point_of_a_deleted_trial_is_suggested_again() -> None:
    points = SEARCH.suggest(SPACE, (), 6, 0)
    history = tuple(PastTrial(assignments=point) for point in (*points[:2], *points[3:]))

    assert SEARCH.suggest(SPACE, history, 1, 0) == (points[2],)


def test_an_unknown_trial_keeps_its_point() -> None:
    """Katib's controller does not send trials without metrics."""
    points = SEARCH.suggest(SPACE, (), 8, 0)
    sent = tuple(PastTrial(assignments=point, loss=1.0) for point in (*points[:2], *points[3:7]))

    assert SEARCH.suggest(SPACE, (*sent, PastTrial(running=True)), 1, 0) == (points[7],)


def test_a_grid_of_astronomic_size_starts_at_once() -> None:
    space = built(*(integer(f"i{i}", "0", "999999999") for i in range(20)))

    points = SEARCH.suggest(space, (), 5, 3)

    assert len(set(points)) == 5
