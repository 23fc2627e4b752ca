"""Which trials of a long history a model of Optuna is built from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suggestion.algorithms.optuna_study import modelled
from suggestion.core.registry import find
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.search_spaces import PLANE, built

SPACE = built(*PLANE)


def long(count: int, loss: Callable[[int], float] = float) -> History:
    points = find("random").make().suggest(SPACE, (), count, 1)
    return tuple(PastTrial(assignments=one, loss=loss(i)) for i, one in enumerate(points))


def test_a_short_history_is_modelled_as_a_whole() -> None:
    history = long(150)

    assert modelled(history).trials == history
    assert not modelled(history).bounded


def test_of_a_long_history_the_best_the_newest_and_some_of_all_times_are_modelled() -> None:
    history = long(20_000, lambda i: abs(i - 5000.0))
    chosen = modelled(history)
    places = [history.index(one) for one in chosen.trials[::10]]

    assert len(chosen.trials) == 150
    assert chosen.measured == 20_000
    assert set(history[4988:5013]) <= set(chosen.trials)
    assert set(history[-62:]) <= set(chosen.trials)
    assert places == sorted(places)
    assert min(places) < 500


def test_running_trials_are_modelled_and_failed_ones_are_not() -> None:
    (first, second, *others) = long(300)
    failed = PastTrial(assignments=first.assignments)
    running = PastTrial(assignments=second.assignments, running=True)
    chosen = modelled((failed, *others, running, PastTrial(running=True)))

    assert running in chosen.trials
    assert failed not in chosen.trials
    assert len(chosen.trials) == 150


def test_how_many_count_as_good_depends_on_all_trials() -> None:
    assert modelled(long(3000)).good(lambda count: count)(150) == 3000
    assert modelled(long(30)).good(lambda count: count)(29) == 29


@pytest.mark.parametrize(("trials", "startup", "used"), [(300, 200, 0), (300, 400, 400), (9, 5, 5)])
def test_the_first_random_trials_are_counted_in_the_whole_history(
    trials: int, startup: int, used: int
) -> None:
    assert modelled(long(trials)).startup(startup) == used


@pytest.mark.parametrize("name", ["tpe", "multivariate-tpe"])
def test_asking_for_four_points_after_many_equals_asking_four_times_for_one(name: str) -> None:
    search, history = find(name).make(), long(400)
    at_once = search.suggest(SPACE, history, 4, 5)

    one_by_one = []
    for _ in range(4):
        (point,) = search.suggest(SPACE, history, 1, 5)
        one_by_one.append(point)
        history = (*history, PastTrial(assignments=point, running=True))

    assert list(at_once) == one_by_one
