"""Generations of trials: who becomes whose parent, and with which parameters."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from api.names import GENERATION_LABEL, PARENT_LABEL
from api.types import ParameterSpec, SuggestedTrial
from suggestion.algorithms.pbt import Pbt, perturbed
from suggestion.core.dimensions import dimension_of
from suggestion.core.search_space import SearchSpace
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.search_spaces import built, categorical, double, integer, values

SPACE = built(
    double("lr", "0.01", "1"),
    integer("width", "10", "90"),
    categorical("optimizer", "sgd", "adam", "ftrl"),
)
SEARCH = Pbt(suggestion_trial_dir="/ckpt", n_population=5, truncation_threshold=0.2)
Loss = Callable[[SuggestedTrial], float]


def rate(one: SuggestedTrial | PastTrial) -> float:
    return float(values(one.assignments)["lr"])


def as_past(trial: SuggestedTrial, number: int, loss: float | None = None) -> PastTrial:
    return PastTrial(
        assignments=trial.assignments,
        loss=loss,
        running=loss is None,
        name=f"t{number}",
        labels=trial.labels,
    )


def played(
    count: int,
    search: Pbt = SEARCH,
    space: SearchSpace = SPACE,
    loss: Loss = rate,
    at_once: int = 1,
) -> History:
    history: History = ()
    while len(history) < count:
        proposal = search.propose(space, history, at_once, 3)
        history += tuple(
            as_past(one, len(history) + index, loss(one))
            for index, one in enumerate(proposal.trials)
        )
    return history[:count]


def generation(one: PastTrial | SuggestedTrial) -> int:
    return int(one.labels[GENERATION_LABEL])


def test_each_generation_has_as_many_trials_as_the_population() -> None:
    assert Counter(generation(one) for one in played(20)) == {0: 5, 1: 5, 2: 5, 3: 5}


def test_the_first_generation_has_no_parents_and_the_others_have() -> None:
    history = played(20)
    names = {one.name: one for one in history}

    for one in history:
        parent = one.labels.get(PARENT_LABEL)
        assert (parent is None) == (generation(one) == 0)
        if parent:
            assert generation(names[parent]) == generation(one) - 1


def test_each_trial_is_the_parent_of_one() -> None:
    history = played(15)

    parents = [one.labels[PARENT_LABEL] for one in history if generation(one) == 2]

    assert sorted(parents) == sorted(one.name for one in history if generation(one) == 1)


def test_the_worst_takes_the_parameters_of_the_best_and_the_others_change_their_own() -> None:
    history = played(10)
    first = {one.name: one for one in history[:5]}
    worst, best = max(history[:5], key=rate), min(history[:5], key=rate)

    for one in history[5:]:
        parent = first[one.labels[PARENT_LABEL]]
        if parent is worst:
            assert one.assignments == best.assignments
        else:
            changed = [max(0.01, min(1, rate(parent) * factor)) for factor in (0.8, 1.2)]
            assert any(math.isclose(rate(one), value) for value in changed)


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("probability", [None, 0.0, 0.25, 1.0])
def test_each_value_of_the_settings_works(threshold: float, probability: float | None) -> None:
    search = replace(SEARCH, truncation_threshold=threshold, resample_probability=probability)
    history = played(30, search)

    assert {generation(one) for one in history} == set(range(6))
    for one in history:
        assert 0.01 <= rate(one) <= 1


def test_with_probability_0_every_parameter_is_kept_and_with_1_every_one_is_new() -> None:
    for probability, same in ((0.0, 4), (1.0, 0)):
        history = played(10, replace(SEARCH, resample_probability=probability))
        first = {one.name: rate(one) for one in history[:5]}
        worst = max(first, key=lambda name: first[name])
        explored = [one for one in history[5:] if one.labels[PARENT_LABEL] != worst]
        kept = [one for one in explored if rate(one) == first[one.labels[PARENT_LABEL]]]
        assert (len(explored), len(kept)) == (4, same)


def test_while_a_trial_runs_further_trials_of_its_generation_begin() -> None:
    history = played(5)
    running = (*history[:4], replace(history[4], loss=None, running=True))

    (more,) = SEARCH.propose(SPACE, running, 1, 3).trials

    assert generation(more) == 0
    assert rate(more) not in {rate(one) for one in history}


def test_in_a_later_generation_the_further_trials_have_parents_too() -> None:
    history = played(10)
    running = (*history[:9], replace(history[9], loss=None, running=True))

    (more,) = SEARCH.propose(SPACE, running, 1, 3).trials

    assert generation(more) == 1
    assert more.labels[PARENT_LABEL] in {one.name for one in history[:5]}


def test_a_failed_trial_is_repeated_with_the_same_parameters_and_parent() -> None:
    history = played(8)
    failed = replace(history[7], loss=None)

    (again,) = SEARCH.propose(SPACE, (*history[:7], failed), 1, 3).trials

    assert again.assignments == failed.assignments
    assert again.labels == failed.labels


def test_a_trial_that_failed_three_times_is_replaced_by_another() -> None:
    history = played(4)
    (bad,) = SEARCH.propose(SPACE, history, 1, 3).trials
    failed = tuple(replace(as_past(bad, n), running=False) for n in range(4, 7))

    (two,) = SEARCH.propose(SPACE, (*history, *failed[:2]), 1, 3).trials
    (other,) = SEARCH.propose(SPACE, (*history, *failed), 1, 3).trials

    assert two.assignments == bad.assignments
    assert other.assignments != bad.assignments
    assert generation(other) == 0


def test_trials_of_which_nothing_is_known_take_the_next_places() -> None:
    history = (*played(3), PastTrial(running=True), PastTrial(running=True))

    assert {generation(one) for one in SEARCH.propose(SPACE, history, 3, 3).trials} == {0}


def test_a_trial_that_has_gone_takes_no_parent() -> None:
    history = (*played(4), PastTrial(), *played(5)[4:])

    parents = [one.labels[PARENT_LABEL] for one in SEARCH.propose(SPACE, history, 5, 3).trials]

    assert sorted(parents) == sorted(one.name for one in history if one.name)


def test_trials_whose_parents_were_deleted_have_parents_in_an_older_generation() -> None:
    history = played(13)
    left = tuple(PastTrial() if generation(one) == 1 else one for one in history)

    (more,) = SEARCH.propose(SPACE, left, 1, 3).trials

    assert generation(more) == 2
    assert more.labels[PARENT_LABEL] in {one.name for one in history if generation(one) == 0}


def test_a_trial_without_any_possible_parent_begins_anew() -> None:
    left = tuple(one if generation(one) == 2 else PastTrial() for one in played(13))

    (more,) = SEARCH.propose(SPACE, left, 1, 3).trials

    assert generation(more) == 2
    assert PARENT_LABEL not in more.labels


@pytest.mark.parametrize("length", range(0, 45, 6))
def test_asking_for_four_points_equals_asking_four_times_for_one(length: int) -> None:
    dice = random.Random(length)
    history = tuple(
        replace(one, loss=None, running=dice.random() < 0.5) if dice.random() < 0.3 else one
        for one in played(length, at_once=4)
    )
    at_once = SEARCH.propose(SPACE, history, 4, 5).trials

    one_by_one: list[SuggestedTrial] = []
    for number in range(4):
        (trial,) = SEARCH.propose(SPACE, history, 1, 5).trials
        one_by_one.append(trial)
        history = (*history, as_past(trial, 100 + number))

    assert list(at_once) == one_by_one


def test_a_label_that_is_no_number_counts_as_the_first_generation() -> None:
    history = tuple(replace(one, labels={GENERATION_LABEL: "9" * 30}) for one in played(3))

    (more,) = SEARCH.propose(SPACE, history, 1, 3).trials

    assert generation(more) == 0


@pytest.mark.parametrize(
    ("parameter", "text", "down", "up"),
    [
        (double("x", "0", "10"), "5", "4.0", "6.0"),
        (double("x", "0", "5.5"), "5", "4.0", "5.5"),
        (double("x", "0", "10", step="0.5"), "5.0", "4.0", "6.0"),
        (double("x", "0", "10", step="2"), "4.0", "2.0", "6.0"),
        (integer("n", "1", "100"), "50", "40", "60"),
        (integer("n", "1", "100"), "2", "1", "3"),
        (integer("n", "1", "100"), "1", "1", "2"),
        (integer("n", "-9", "9"), "-5", "-4", "-6"),
        (integer("n", "-9", "9"), "0", "-1", "1"),
        (categorical("c", "a", "b", "c"), "a", "c", "b"),
        (categorical("c", "a", "b", "c"), "c", "b", "a"),
        (categorical("c", "a"), "a", "a", "a"),
    ],
)
def test_a_value_is_perturbed_within_its_range(
    parameter: ParameterSpec, text: str, down: str, up: str
) -> None:
    dimension = dimension_of(parameter)

    assert (perturbed(dimension, text, 0.8), perturbed(dimension, text, 1.2)) == (down, up)


def test_a_population_finds_a_moving_optimum_that_random_values_do_not_follow() -> None:
    """The best rate falls with the generation, as a schedule of learning rates does."""

    def loss(one: SuggestedTrial) -> float:
        return abs(rate(one) - 0.8 * 0.8 ** generation(one))

    history = played(100, replace(SEARCH, n_population=10), loss=loss)
    last = [one.loss or 0.0 for one in history if generation(one) == 9]
    dice = random.Random(1)
    drawn = [abs(dice.uniform(0.01, 1) - 0.8 * 0.8**9) for _ in range(len(last))]

    assert sum(last) / len(last) < sum(drawn) / len(drawn) / 2
