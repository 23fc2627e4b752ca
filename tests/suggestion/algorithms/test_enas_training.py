"""The training of the policy of `enas`: its gradient is exact, and its advantages are fair."""

from __future__ import annotations

import random

import numpy as np
import pytest

from suggestion.algorithms.enas_policy import Array, Shape, Weights, gradient, run, start
from suggestion.algorithms.enas_training import (
    Architecture,
    Known,
    Result,
    Training,
    advantages_of,
    learned,
    wish_of,
)

TRAINING = Training(
    steps=20,
    learning_rate=1e-3,
    decay=0.9,
    entropy_weight=0.3,
    skip_target=0.4,
    skip_weight=0.8,
)
SHAPES = [
    Shape(layers=4, operations=5, hidden=6, temperature=5.0, bound=2.25),
    Shape(layers=3, operations=2, hidden=4, temperature=None, bound=None),
    Shape(layers=1, operations=3, hidden=3, temperature=2.0, bound=None),
]


def architectures(shape: Shape, count: int) -> list[Architecture]:
    dice = random.Random(1)
    return [
        tuple(
            (dice.randrange(shape.operations), *(dice.randrange(2) for _ in range(layer)))
            for layer in range(shape.layers)
        )
        for _ in range(count)
    ]


def objective(shape: Shape, weights: Weights, known: Known, advantages: Array) -> float:
    """Return what the training maximizes, as the module describes it."""
    total = np.zeros(len(advantages))
    for index, layer in enumerate(run(shape, weights, len(advantages), known).layers):
        likely = layer.likely_operations
        total += advantages * np.log(likely[np.arange(len(total)), layer.operation])
        total -= TRAINING.entropy_weight * (likely * np.log(likely)).sum(axis=1)
        if index:
            assert layer.likely_skips is not None
            assert layer.skips is not None
            p, drawn, target = layer.likely_skips, layer.skips, TRAINING.skip_target
            log, other = np.log(p), np.log(1 - p)
            total += advantages * (drawn * log + (1 - drawn) * other).sum(axis=1)
            total -= TRAINING.entropy_weight * (p * log + (1 - p) * other).sum(axis=1)
            divergence = p * (log - np.log(target)) + (1 - p) * (other - np.log(1 - target))
            total -= TRAINING.skip_weight * divergence.sum(axis=1) / (shape.layers - 1)
    return float(total.mean())


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_is_that_of_the_objective(shape: Shape) -> None:
    dice = np.random.default_rng(3)
    weights: Weights = {
        name: value + dice.normal(0, 0.7, value.shape) for name, value in start(shape, 1).items()
    }
    known, advantages = Known(architectures(shape, 7)), dice.normal(size=7)
    trace = run(shape, weights, 7, known)
    slopes = gradient(trace, wish_of(shape, TRAINING, advantages))

    for name, value in weights.items():
        way, small = dice.normal(size=value.shape), 1e-5
        up, down = (
            objective(shape, {**weights, name: value + step * way}, known, advantages)
            for step in (small, -small)
        )
        assert (up - down) / (2 * small) == pytest.approx(
            float((slopes[name] * way).sum()), rel=1e-3, abs=1e-6
        )


def test_an_advantage_is_the_distance_from_the_mean_so_far_in_standard_deviations() -> None:
    assert advantages_of([1.0, 3.0, 5.0], decay=1.0) == pytest.approx(
        [0, 1 / 8**0.5 * 3**0.5, 2 / 8**0.5 * 3**0.5]
    )


def test_newer_results_weigh_more_in_the_baseline() -> None:
    *_, last = advantages_of([0.0, 1.0, 1.0], decay=0.5)

    assert last == pytest.approx((1 - 1.5 / 1.75) / np.std([0.0, 1.0, 1.0]))


@pytest.mark.parametrize("rewards", [[], [5.0], [0.1] * 7, [0.0, 0.0], [1e308, 1e308]])
def test_equal_rewards_have_no_advantage(rewards: list[float]) -> None:
    assert not advantages_of(rewards, decay=0.999).any()


def test_huge_rewards_have_finite_advantages() -> None:
    assert np.isfinite(advantages_of([1e308, -1e308, 5.0], decay=0.999)).all()


def test_the_policy_learns_from_the_newest_hundred_results() -> None:
    shape = SHAPES[0]
    results = [
        Result(architecture=one, reward=float(number % 7))
        for number, one in enumerate(architectures(shape, 160))
    ]
    weights = learned(shape, TRAINING, results, 1)

    assert all(np.isfinite(value).all() for value in weights.values())
