"""Brackets of successive halving: who begins, who is promoted, and with which resource."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from api.errors import SpecError
from api.types import Assignment
from suggestion.algorithms.hyperband import Hyperband
from suggestion.core.search_space import Point
from suggestion.core.search_task import search_task_of
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.controller_requests import experiment
from tests.suggestion.search_spaces import built, double, integer, values

SPACE = built(double("lr", "0", "1"), integer("epochs", "1", "9"))
SEARCH = Hyperband(r_l=9, resource_name="epochs", eta=3)
ROUND = (
    *("1",) * 9, *("3",) * 3, "9",
    *("3",) * 5, *("9",) * 2,
    *("9",) * 3,
)  # fmt: skip
"""The resources of all trials of all brackets, if each trial ends before the next begins."""


def rate(point: Point) -> float:
    return float(values(point)["lr"])


def epochs(point: Point) -> str:
    return values(point)["epochs"]


def played(trials: int, at_once: int = 1, search: Hyperband = SEARCH) -> History:
    """Play with a loss that is the learning rate: the smallest is the best."""
    history: History = ()
    while len(history) < trials:
        points = search.suggest(SPACE, history, at_once, 3)
        history += tuple(PastTrial(assignments=one, loss=rate(one)) for one in points)
    return history[:trials]


def test_the_brackets_follow_each_other() -> None:
    assert tuple(epochs(one.assignments) for one in played(len(ROUND))) == ROUND


def test_after_the_last_bracket_the_first_begins_again_with_new_configurations() -> None:
    twice = played(2 * len(ROUND))

    assert tuple(epochs(one.assignments) for one in twice) == ROUND * 2
    assert len({rate(one.assignments) for one in twice}) == 2 * (9 + 5 + 3)


def test_the_best_of_a_rung_are_promoted_the_best_first() -> None:
    rates = [rate(one.assignments) for one in played(13)]

    assert rates[9:12] == sorted(rates[:9])[:3]
    assert rates[12] == min(rates)


def test_while_a_trial_of_the_rung_runs_the_next_bracket_begins() -> None:
    running = PastTrial(assignments=played(9)[4].assignments, running=True)
    history = (*played(9)[:4], running, *played(9)[5:])

    points = SEARCH.suggest(SPACE, history, 2, 3)

    assert [epochs(one) for one in points] == ["3", "3"]
    assert not {rate(one) for one in points} & {rate(one.assignments) for one in history}


def test_the_promotion_comes_first_when_the_last_trial_of_the_rung_ends() -> None:
    first = played(9)
    late = PastTrial(assignments=first[4].assignments, running=True)
    begun = SEARCH.suggest(SPACE, (*first[:4], late, *first[5:]), 2, 3)
    others = tuple(PastTrial(assignments=one, running=True) for one in begun)

    points = SEARCH.suggest(SPACE, (*first, *others), 4, 3)

    assert [rate(one) for one in points[:3]] == sorted(rate(one.assignments) for one in first)[:3]
    assert rate(points[3]) not in {rate(one.assignments) for one in first}


def test_a_failed_trial_is_not_promoted() -> None:
    first = played(9)
    best = min(first, key=lambda one: one.loss or 0)
    history = tuple(PastTrial(assignments=one.assignments) if one is best else one for one in first)

    points = SEARCH.suggest(SPACE, history, 3, 3)

    assert rate(best.assignments) not in [rate(one) for one in points]
    assert [epochs(one) for one in points] == ["3"] * 3


def test_a_bracket_whose_trials_all_failed_ends() -> None:
    history = tuple(PastTrial(assignments=one.assignments) for one in played(9))

    (point,) = SEARCH.suggest(SPACE, history, 1, 3)

    assert rate(point) not in {rate(one.assignments) for one in history}


def test_a_rung_of_fewer_succeeded_trials_than_places_promotes_these() -> None:
    first = played(9)
    history = (first[0], *(PastTrial(assignments=one.assignments) for one in first[1:]))
    (promoted,) = SEARCH.suggest(SPACE, history, 1, 3)

    history = (*history, PastTrial(assignments=promoted, loss=0.5))

    (again,) = SEARCH.suggest(SPACE, history, 1, 3)
    assert values(again) == values(promoted) | {"epochs": "9"}


@pytest.mark.parametrize("length", range(0, 22, 3))
def test_within_one_round_the_order_of_the_trials_does_not_matter(
    length: int,
) -> None:
    history = played(length)

    points = SEARCH.suggest(SPACE, history, 3, 3)

    assert SEARCH.suggest(SPACE, history[::-1], 3, 3) == points


def test_trials_of_which_nothing_is_known_take_the_next_places() -> None:
    points = SEARCH.suggest(SPACE, (*played(7), PastTrial(running=True)), 2, 3)

    assert [epochs(one) for one in points] == ["1", "3"]


def test_a_trial_that_has_gone_leaves_its_place_to_another_and_the_rung_ends() -> None:
    gone = PastTrial()
    history = (*played(4), gone, *played(9)[5:])

    (another,) = SEARCH.suggest(SPACE, history, 1, 3)
    history = (*history, PastTrial(assignments=another, loss=rate(another)))
    promoted = SEARCH.suggest(SPACE, history, 3, 3)

    assert epochs(another) == "1"
    assert [epochs(one) for one in promoted] == ["3"] * 3


def test_a_trial_with_another_resource_takes_no_place() -> None:
    by_hand = (Assignment(name="lr", value="0.5"), Assignment(name="epochs", value="4"))
    history = (*played(9), PastTrial(assignments=by_hand, loss=-1.0))

    assert SEARCH.suggest(SPACE, history, 3, 3) == SEARCH.suggest(SPACE, played(9), 3, 3)


@pytest.mark.parametrize(
    ("r_l", "eta", "resources"),
    [
        (1.0, 3.0, {"1": 1}),
        (2.0, 2.0, {"1": 2, "2": 3}),
        (10.0, 3.0, {"1": 9, "3": 8, "10": 6}),
        (6.5, 2.5, {"1": 7, "2": 7, "6": 7}),
        (243.0, 3.0, {"1": 243, "3": 179, "9": 101, "27": 52, "81": 27, "243": 16}),
    ],
)
def test_the_resources_of_one_round(r_l: float, eta: float, resources: dict[str, int]) -> None:
    search = Hyperband(r_l=r_l, resource_name="epochs", eta=eta)
    count = sum(resources.values())

    assert Counter(epochs(one.assignments) for one in played(count, search=search)) == resources


@pytest.mark.parametrize(
    ("r_l", "eta", "least"), [("243", "3", 81), ("242", "3", 81), ("27", "3", 27), ("8", "2", 8)]
)
def test_as_many_trials_must_run_at_once_as_katib_asks_for(r_l: str, eta: str, least: int) -> None:
    """Katib computes with logarithms: 5 of 243 and 3 is less than 5."""
    values = {"r_l": r_l, "resource_name": "epochs", "eta": eta}
    spec = experiment("hyperband", (integer("epochs", "1", "9"),), values).spec

    search_task_of(replace(spec, parallel_trial_count=least))
    with pytest.raises(SpecError, match=f"must be not less than {least}"):
        search_task_of(replace(spec, parallel_trial_count=least - 1))


def test_the_resource_is_a_point_of_its_own_even_outside_of_the_parameters_range() -> None:
    """Katib's example has a resource of 2 in a parameter from 1 to 1."""
    space = built(double("lr", "0", "1"), integer("epochs", "1", "1"))
    search = Hyperband(r_l=2, resource_name="epochs", eta=2)
    history = tuple(
        PastTrial(assignments=one, loss=rate(one)) for one in search.suggest(space, (), 2, 1)
    )

    (promoted,) = search.suggest(space, history, 1, 1)

    assert epochs(promoted) == "2"


def test_a_list_of_few_configurations_goes_on_for_ever() -> None:
    """Two configurations are the same again and again, in all rungs."""
    space = built(integer("n", "1", "2"), integer("epochs", "1", "9"))
    history: History = ()
    for number in range(100):
        (point,) = SEARCH.suggest(space, history, 1, 1)
        history = (*history, PastTrial(assignments=point, loss=float(number % 3)))

    assert {epochs(one.assignments) for one in history} == {"1", "3", "9"}


def test_the_settings_are_those_of_katibs_service() -> None:
    proposal = SEARCH.propose(SPACE, played(9), 3, 3)

    assert {one.name: one.value for one in proposal.settings} == {
        "eta": "3",
        "s_max": "2",
        "r_l": "9",
        "b_l": "27",
        "r": "1",
        "n": "9",
        "current_s": "2",
        "current_i": "1",
        "resource_name": "epochs",
        "evaluating_trials": "3",
    }


@pytest.mark.parametrize("length", range(0, 60, 7))
def test_asking_for_four_points_equals_asking_four_times_for_one(length: int) -> None:
    dice = random.Random(length)
    history = tuple(
        replace(one, loss=None, running=dice.random() < 0.5) if dice.random() < 0.2 else one
        for one in played(length, at_once=4)
    )
    at_once = SEARCH.suggest(SPACE, history, 4, 5)

    one_by_one: list[Point] = []
    for _ in range(4):
        (point,) = SEARCH.suggest(SPACE, history, 1, 5)
        one_by_one.append(point)
        history = (*history, PastTrial(assignments=point, running=True))

    assert list(at_once) == one_by_one
