"""Trains the policy of ENAS by REINFORCE, from the architectures that have results.

Each time, the policy begins with its first weights and makes `steps` steps of Adam over all
results, with the learning rate times the number of results: so it goes as far as Katib's service,
which makes `steps` steps at each request, but needs no state, and no more time after 1000 results
than after 100. The gradient is the mean over the results of

    advantage * log-likelihood + entropy_weight * entropy - skip_weight * divergence

The advantage is the reward minus the baseline, the mean of the rewards so far in which each
result weighs `decay` times as much as the next, divided by the standard deviation of the rewards.
So the settings mean the same for an accuracy and for a loss of a million. The divergence is that
of the likelihood of each skip connection from `skip_target`: its sum over a layer, the mean over
the layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from suggestion.algorithms.enas_policy import (
    Array,
    Layer,
    Shape,
    Weights,
    Whole,
    Wish,
    gradient,
    run,
    start,
)

Architecture = tuple[tuple[int, ...], ...]
"""For each layer: the number of its operation, and 0 or 1 for each earlier layer."""

_MOST_RESULTS = 100
"""The newest results from which the policy learns; each takes time."""
_MOST_RATE = 0.02
"""With larger steps, Adam oscillates."""
_LEAST_SHARE = 1e-3
"""A target of 1 would never be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An architecture and its reward: more is better."""

    architecture: Architecture
    reward: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """How the policy is trained."""

    steps: int
    learning_rate: float
    decay: float
    entropy_weight: float
    skip_target: float
    skip_weight: float


class Known:
    """Takes the decisions of known architectures."""

    def __init__(self, architectures: Sequence[Architecture]) -> None:
        self._operations = np.array([[layer[0] for layer in one] for one in architectures])
        self._skips = [
            np.array([one[index][1:] for one in architectures], dtype=np.float32)
            for index in range(len(architectures[0]))
        ]

    def operation(self, layer: int, _likely: Array) -> Whole:
        """Return the operation of each architecture."""
        return np.asarray(self._operations[:, layer])

    def skips(self, layer: int, _likely: Array) -> Array:
        """Return the skip connections of each architecture."""
        return self._skips[layer]


def learned(shape: Shape, training: Training, results: Sequence[Result], seed: int) -> Weights:
    """Return the weights of the policy after these results, in their order."""
    weights = start(shape, seed)
    advantages = advantages_of([one.reward for one in results], training.decay)
    used = results[-_MOST_RESULTS:]
    if not used or not advantages.any():
        return weights
    decisions = Known([one.architecture for one in used])
    wish = wish_of(shape, training, advantages[-_MOST_RESULTS:])
    rate = min(training.learning_rate * len(used), max(training.learning_rate, _MOST_RATE))
    adam = _Adam(weights, rate)
    for _ in range(training.steps):
        adam.step(gradient(run(shape, weights, len(used), decisions), wish))
    return weights


def advantages_of(rewards: Sequence[float], decay: float) -> Array:
    """Return how much better each reward is than the baseline, in standard deviations."""
    scaled = np.array(rewards, dtype=np.float64)
    largest = np.abs(scaled).max(initial=0.0)
    scaled = scaled / largest if largest else scaled  # so that no square overflows
    deviation = float(scaled.std()) if len(scaled) else 0.0
    if deviation < 1e-12:  # noqa: PLR2004 - all are the same, but for rounding
        return np.zeros(len(scaled))
    advantages, total, weight = np.zeros(len(scaled)), 0.0, 0.0
    for index, reward in enumerate(scaled):
        total = decay * total + float(reward)
        weight = decay * weight + 1
        advantages[index] = (reward - total / weight) / deviation
    return advantages


def wish_of(shape: Shape, training: Training, advantages: Array) -> Wish:
    """Return the gradients of what the training maximizes, for these advantages."""
    count, pairs = len(advantages), max(shape.layers - 1, 1)
    own = (advantages[:, None] / count).astype(np.float32)
    target = min(training.skip_target, 1 - _LEAST_SHARE)
    wanted = math.log(target / (1 - target))

    def operations(layer: Layer) -> Array:
        likely = layer.likely_operations
        chosen = np.zeros_like(likely)
        chosen[np.arange(count), layer.operation] = 1
        logs = _log(likely)
        entropy = -(likely * logs).sum(axis=1, keepdims=True)
        of_entropy = -likely * (logs + entropy)
        return np.asarray(own * (chosen - likely) + training.entropy_weight / count * of_entropy)

    def skips(layer: Layer) -> Array:
        likely, drawn = layer.likely_skips, layer.skips
        if likely is None or drawn is None:
            return np.zeros((count, 0))
        spread = 2 * likely * (1 - likely)
        odds = _log(likely) - _log(1 - likely)
        of_entropy = -odds * spread
        of_divergence = (odds - wanted) * spread / pairs
        return (
            2 * own * (drawn - likely)
            + training.entropy_weight / count * of_entropy
            - training.skip_weight / count * of_divergence
        )

    return Wish(operations=operations, skips=skips)


class _Adam:
    """Steps up a gradient, of about the same size for each weight (Kingma and Ba, 2015)."""

    def __init__(self, weights: Weights, rate: float) -> None:
        self._weights, self._rate, self._count = weights, rate, 0
        self._means = {name: np.zeros_like(value) for name, value in weights.items()}
        self._squares = {name: np.zeros_like(value) for name, value in weights.items()}

    def step(self, slopes: Weights) -> None:
        """Change the weights in place."""
        self._count += 1
        for name, slope in slopes.items():
            mean, square = self._means[name], self._squares[name]
            mean += 0.1 * (slope - mean)
            square += 0.001 * (slope**2 - square)
            mean_now = mean / (1 - 0.9**self._count)
            square_now = square / (1 - 0.999**self._count)
            self._weights[name] += self._rate * mean_now / (np.sqrt(square_now) + 1e-8)


def _log(likely: Array) -> Array:
    return np.asarray(np.log(np.maximum(likely, 1e-30)))
