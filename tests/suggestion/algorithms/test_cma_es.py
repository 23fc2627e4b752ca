"""CMA-ES as a fold: generations by trial number, in whatever order trials end."""

from __future__ import annotations

from statistics import pstdev

import pytest

from suggestion.core.registry import find
from suggestion.core.search_space import Point
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.search_spaces import PLANE, built, categorical, double, integer, values

SPACE = built(*PLANE)
GENERATION = 6  # the population of `cmaes` for two dimensions


def loss(point: Point) -> float:
    x, y = (float(text) for text in list(values(point).values())[:2])
    return (x - 2) ** 2 + (y - 3) ** 2


def played(trials: int, seed: int = 1, **settings: object) -> History:
    search = find("cmaes").make(**settings)
    history: History = ()
    for _ in range(trials):
        (point,) = search.suggest(SPACE, history, 1, seed)
        history = (*history, PastTrial(assignments=point, loss=loss(point)))
    return history


def following(history: History) -> Point:
    (point,) = find("cmaes").make().suggest(SPACE, history, 1, 1)
    return point


def test_the_distribution_shrinks_around_the_minimum() -> None:
    history = played(20 * GENERATION)

    first, last = (
        sorted(loss(past.assignments) for past in part)
        for part in (history[:GENERATION], history[-GENERATION:])
    )
    assert last[-1] < first[0]
    assert last[0] < first[0] / 100


def test_the_first_distribution_is_in_the_middle() -> None:
    history = played(GENERATION)
    middle = [sum(float(p.assignments[i].value) for p in history) / GENERATION for i in (0, 1)]

    assert middle[0] == pytest.approx(2.5, abs=2.5)
    assert middle[1] == pytest.approx(7.5, abs=2.5)


def test_a_generation_that_still_runs_does_not_block_the_next_trials() -> None:
    """The next trials come from the current distribution, without the losses of an open generation."""
    whole = played(2 * GENERATION)
    open_one = (*whole[:-1], PastTrial(assignments=whole[-1].assignments, running=True))
    other = tuple(
        PastTrial(
            assignments=p.assignments, loss=None if p.loss is None else -p.loss, running=p.running
        )
        for p in open_one[GENERATION:]
    )

    assert following(open_one) == following((*open_one[:GENERATION], *other))
    assert following(open_one) != following(whole)


def test_a_trial_that_hangs_does_not_stop_the_search() -> None:
    whole = played(4 * GENERATION)
    hanging = (PastTrial(assignments=whole[0].assignments, running=True), *whole[1:])
    failed = (PastTrial(assignments=whole[0].assignments), *whole[1:])

    assert following(hanging) == following(failed)


def test_a_trial_that_failed_counts_as_the_worst_of_its_generation() -> None:
    history = played(GENERATION)
    worst = max(past.loss or 0 for past in history)
    failed = (PastTrial(assignments=history[0].assignments), *history[1:])
    as_bad = (
        PastTrial(assignments=history[0].assignments, loss=max(p.loss or 0 for p in history[1:])),
        *history[1:],
    )

    assert worst > 0
    assert following(failed) == following(as_bad)


def test_a_generation_of_failed_trials_changes_nothing() -> None:
    failed = tuple(PastTrial(assignments=past.assignments) for past in played(GENERATION))
    unknown = tuple(PastTrial(running=True) for _ in range(GENERATION))

    assert following(failed) == following(unknown)


def test_ranges_of_whole_numbers_do_not_collapse_the_distribution() -> None:
    space = built(integer("a", "0", "10"), integer("b", "0", "10"), categorical("c", "x", "y"))
    search = find("cmaes").make()
    history: History = ()
    for _ in range(120):
        (point,) = search.suggest(space, history, 1, 5)
        a, b = (int(values(point)[name]) for name in "ab")
        history = (*history, PastTrial(assignments=point, loss=float((a - 7) ** 2 + (b - 2) ** 2)))

    assert min(past.loss or 0 for past in history) == 0
    assert len({past.assignments for past in history[-30:]}) > 3


@pytest.mark.parametrize("strategy", ["ipop", "bipop"])
def test_a_converged_distribution_restarts(strategy: str) -> None:
    """Thirty generations at one point with equal losses."""
    spot = SPACE.point((0.3, 0.3))
    stuck = tuple(PastTrial(assignments=spot, loss=1.0) for _ in range(30 * GENERATION))

    def spread(strategy: str) -> float:
        points = find("cmaes").make(restart_strategy=strategy).suggest(SPACE, stuck, 10, 1)
        places = [float(values(point)["x"]) for point in points]
        return max(places) - min(places)

    assert spread("none") < 0.1
    assert spread(strategy) > 2


def test_sigma_is_in_the_parameters_own_units() -> None:
    """A range of 5 and one of 15: equal deviations are not equal shares."""
    space = built(double("x", "0", "5"), double("y", "0", "15"))
    search = find("cmaes").make(sigma=0.5)
    points = [values(point) for point in search.suggest(space, (), 40, 1)]

    x, y = ([float(point[name]) for point in points] for name in "xy")
    assert pstdev(x) == pytest.approx(0.5, rel=0.4)
    assert pstdev(y) == pytest.approx(0.5, rel=0.4)


def test_a_sigma_above_each_range_is_the_whole_range() -> None:
    space = built(double("x", "0", "1"), double("y", "0", "1"))

    assert find("cmaes").make(sigma=50.0).suggest(space, (), 6, 1) == (
        find("cmaes").make(sigma_share=1.0).suggest(space, (), 6, 1)
    )


def test_a_larger_sigma_is_a_wider_distribution() -> None:
    def width(sigma: float) -> float:
        history = played(GENERATION, sigma_share=sigma)
        places = [float(past.assignments[0].value) for past in history]
        return max(places) - min(places)

    assert width(0.01) < width(0.1) < width(0.5)
