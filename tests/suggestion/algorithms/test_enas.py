"""`enas`: architectures of the space, learned from the results, as a function of the history."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest

from api.types import Assignment
from suggestion.algorithms.enas import Enas, architecture_of
from suggestion.algorithms.enas_training import Architecture
from suggestion.core.search_space import Point
from suggestion.core.trial_history import History, PastTrial
from tests.suggestion.network_spaces import network_space, space_of_networks
from tests.suggestion.search_spaces import values

SPACE = space_of_networks()
QUICK = Enas(controller_hidden_size=16, controller_learning_rate=1e-3)


def read(text: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text.replace("'", '"'))


def architecture(point: Point) -> Architecture:
    found = architecture_of(PastTrial(assignments=point), network_space())
    assert found is not None
    return found


def accuracy(point: Point) -> float:
    """Return the share of layers that are convolutions, less a bit for each connection."""
    layers = architecture(point)
    return statistics.mean(one[0] < 2 for one in layers) - 0.01 * sum(map(sum, layers))


def played(length: int, search: Enas = QUICK, *, at_once: int = 1, seed: int = 3) -> History:
    history: History = ()
    while len(history) < length:
        points = search.suggest(SPACE, history, min(at_once, length - len(history)), seed)
        history += tuple(PastTrial(assignments=one, loss=-accuracy(one)) for one in points)
    return history


def test_an_architecture_has_an_operation_and_flags_for_each_layer() -> None:
    for point in Enas().suggest(SPACE, (), 20, 1):
        layers = read(values(point)["architecture"])

        assert [len(layer) for layer in layers] == [1, 2, 3]
        assert all(0 <= layer[0] < 4 for layer in layers)
        assert all(flag in (0, 1) for layer in layers for flag in layer[1:])


def test_the_configuration_describes_the_operations_of_the_architecture() -> None:
    (point,) = Enas().suggest(SPACE, (), 1, 1)
    layers, config = read(values(point)["architecture"]), read(values(point)["nn_config"])

    assert (config["num_layers"], config["input_sizes"], config["output_sizes"]) == (
        3,
        [8, 8, 1],
        [10],
    )
    assert config["embedding"].keys() == {str(layer[0]) for layer in layers}
    for name, one in config["embedding"].items():
        assert one["opt_id"] == int(name)
        assert {0: "convolution", 1: "convolution", 2: "reduction", 3: "reduction"}[
            one["opt_id"]
        ] == one["opt_type"]


def test_operations_are_the_combinations_of_their_parameters_in_order() -> None:
    found = [(one.type, dict(one.parameters)) for one in network_space().operations]

    assert found == [
        ("convolution", {"filter_size": "3", "num_filter": "8"}),
        ("convolution", {"filter_size": "5", "num_filter": "8"}),
        ("reduction", {"reduction_type": "max_pooling", "pool_size": 2}),
        ("reduction", {"reduction_type": "max_pooling", "pool_size": 3}),
    ]


def test_the_rewards_of_its_samples_rise_over_the_search() -> None:
    rewards = [-(past.loss or 0) for past in played(40)]

    assert statistics.mean(rewards[-10:]) > statistics.mean(rewards[:10]) + 0.15


def test_a_smaller_loss_is_better() -> None:
    """The same trials with the opposite rewards lead away from convolutions."""
    history = played(15)
    turned = tuple(
        PastTrial(assignments=past.assignments, loss=-(past.loss or 0)) for past in history
    )
    for_it, against_it = (
        statistics.mean(accuracy(point) for point in QUICK.suggest(SPACE, past, 10, 3))
        for past in (history, turned)
    )

    assert for_it > against_it + 0.3


def test_the_unit_of_the_objective_does_not_matter() -> None:
    history = played(12)
    scaled = tuple(
        PastTrial(assignments=past.assignments, loss=1e6 * (past.loss or 0)) for past in history
    )

    assert QUICK.suggest(SPACE, history, 4, 3) == QUICK.suggest(SPACE, scaled, 4, 3)


def test_asking_for_four_equals_asking_four_times_for_one() -> None:
    history = played(9)
    at_once = QUICK.suggest(SPACE, history, 4, 5)

    one_by_one: list[Point] = []
    for _ in range(4):
        one_by_one += QUICK.suggest(SPACE, history, 1, 5)
        history = (*history, PastTrial(assignments=one_by_one[-1], running=True))

    assert list(at_once) == one_by_one


@pytest.mark.parametrize("length", [0, 1, 7, 13])
def test_a_search_that_starts_anew_after_any_trial_goes_on_with_the_same_samples(
    length: int,
) -> None:
    history = played(16)

    assert played(length) == history[:length]
    assert QUICK.suggest(SPACE, history[:length], 1, 3) == (history[length].assignments,)


def test_another_seed_gives_other_architectures() -> None:
    assert Enas().suggest(SPACE, (), 4, 1) != Enas().suggest(SPACE, (), 4, 2)


def test_an_architecture_is_not_tried_twice_while_there_are_others() -> None:
    tried = {past.assignments for past in played(60, Enas(controller_train_steps=1))}

    assert len(tried) == 60


def test_a_space_with_one_network_repeats_it() -> None:
    only = network_space().config
    config = type(only)(
        graph=type(only.graph)(layers=1, input_sizes=(1,), output_sizes=(1,)),
        operations=(type(only.operations[0])(type="skip_connection"),),
    )
    points = Enas().suggest(space_of_networks(config), (), 3, 1)

    assert [values(point)["architecture"] for point in points] == ["[[0]]"] * 3


def test_trials_without_a_result_and_equal_results_teach_nothing() -> None:
    (first,) = Enas().suggest(SPACE, (), 1, 1)
    failed = (PastTrial(assignments=first), PastTrial(running=True))
    equal = tuple(
        PastTrial(assignments=point, loss=0.1) for point in Enas().suggest(SPACE, (), 2, 1)
    )

    assert Enas().suggest(SPACE, failed, 1, 1) == Enas().suggest(SPACE, equal, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "3",
        "[[0]]",
        "[[0], [0, 1], [0, 1]]",
        "[[4], [0, 1], [0, 1, 1]]",
        "[[-1], [0, 1], [0, 1, 1]]",
        "[[0], [0, 2], [0, 1, 1]]",
        "[[0], [0, true], [0, 1, 1]]",
        "[[0.0], [0, 1], [0, 1, 1]]",
        "[" * 100_000,
    ],
)
def test_a_trial_with_another_architecture_is_passed_over(text: str) -> None:
    strange = PastTrial(assignments=(Assignment(name="architecture", value=text),), loss=1.0)

    assert architecture_of(strange, network_space()) is None
    assert len(QUICK.suggest(SPACE, (strange, *played(3)), 1, 1)) == 1


@pytest.mark.parametrize(
    "search",
    [
        Enas(controller_temperature=None),
        Enas(controller_tanh_const=None, controller_learning_rate=1.0),
        Enas(controller_entropy_weight=None, controller_skip_weight=None),
        Enas(controller_skip_target=1.0, controller_learning_rate=1.0),
        Enas(controller_entropy_weight=1e6, controller_skip_weight=1e6),
        Enas(controller_temperature=1e-6, controller_tanh_const=1e6),
    ],
)
def test_settings_at_their_ends(search: Enas) -> None:
    points = search.suggest(SPACE, played(10), 3, 1)

    assert len({architecture(point) for point in points}) == 3


def test_the_skip_target_is_the_share_of_connections() -> None:
    def share(target: float) -> float:
        search = Enas(controller_skip_target=target, controller_learning_rate=1e-3)
        history = tuple(
            PastTrial(assignments=point, loss=number)
            for number, point in enumerate(search.suggest(SPACE, (), 20, 1))
        )
        flags = [
            flag
            for point in search.suggest(SPACE, history, 40, 1)
            for layer in architecture(point)
            for flag in layer[1:]
        ]
        return statistics.mean(flags)

    assert share(0.05) < share(0.95) - 0.2
