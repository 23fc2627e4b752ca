"""The policy of ENAS: an LSTM that draws architectures, with the gradient of its decisions.

For each layer, the LSTM makes two steps:

1. its input is the mean of the outputs of step 2 that this layer connects to; its output says how
   likely each operation is;
2. its input is the embedding of the operation; its output, compared with that of each earlier
   layer, says how likely a skip connection from there is.

All arrays have one row for each architecture, so a training step costs hardly more for fifty of
them than for one. The gradients are written out by hand; a test compares them with differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Whole = NDArray[np.int64]
Weights = dict[str, Array]

_LARGEST_START = 0.01
"""Of a weight: the first policy draws nearly uniformly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a policy decides, and how large it is."""

    layers: int
    operations: int
    hidden: int
    temperature: float | None
    """Divides the scores of decisions; None: 1."""
    bound: float | None
    """Of the scores, by a tanh; None: none."""


class Decisions(Protocol):
    """Takes the decisions of a policy: draws them, or repeats those of known architectures."""

    def operation(self, layer: int, likely: Array) -> Whole:
        """Return the operation of each architecture; `likely`: (architectures, operations)."""

    def skips(self, layer: int, likely: Array) -> Array:
        """Return 1 for each skip connection, else 0; `likely`: (architectures, layer)."""


def start(shape: Shape, seed: int) -> Weights:
    """Return the weights before the first result."""
    dice, hidden = np.random.default_rng(seed), shape.hidden
    sizes = {
        "lstm": (2 * hidden, 4 * hidden),
        "input": (1, hidden),
        "embedding": (shape.operations, hidden),
        "operation": (hidden, shape.operations),
        "earlier": (hidden, hidden),
        "later": (hidden, hidden),
        "skip": (hidden, 1),
    }
    return {
        name: dice.uniform(-_LARGEST_START, _LARGEST_START, size).astype(np.float32)
        for name, size in sizes.items()
    }


@dataclass(slots=True, kw_only=True)
class Cell:
    """One step of the LSTM, with what its gradient needs."""

    joined: Array
    gates: Array
    """Input, forget and output gate, and the new values: (architectures, 4 hidden)."""
    before: Array
    squashed: Array
    """The tanh of the state after the step."""
    state: Array
    output: Array


@dataclass(slots=True, kw_only=True)
class Layer:
    """The decisions of one layer, with what their gradient needs."""

    first: Cell
    operation: Whole
    operation_scores: Array
    likely_operations: Array
    second: Cell
    compared: Array | None = None
    """(architectures, earlier layers, hidden)."""
    skip_scores: Array | None = None
    likely_skips: Array | None = None
    skips: Array | None = None
    weight: Array | None = None
    """One divided by one more than the number of skip connections."""


@dataclass(slots=True, kw_only=True)
class Trace:
    """One run of the policy for some architectures."""

    shape: Shape
    weights: Weights
    layers: list[Layer] = field(default_factory=list)

    @property
    def outputs(self) -> Array:
        """The output of the second step of each layer: (architectures, layers, hidden)."""
        return np.stack([layer.second.output for layer in self.layers], axis=1)


def run(shape: Shape, weights: Weights, count: int, decisions: Decisions) -> Trace:
    """Let the policy decide on `count` architectures at the same time."""
    trace = Trace(shape=shape, weights=weights)
    nothing = np.zeros((count, shape.hidden), weights["input"].dtype)
    given, cell = np.repeat(weights["input"], count, axis=0), (nothing, nothing)
    for index in range(shape.layers):
        first = _stepped(weights["lstm"], given, *cell)
        scores = first.output @ weights["operation"]
        likely = _softmax(_bounded(shape, scores))
        operation = decisions.operation(index, likely)
        second = _stepped(
            weights["lstm"], weights["embedding"][operation], first.output, first.state
        )
        layer = Layer(
            first=first,
            operation=operation,
            operation_scores=scores,
            likely_operations=likely,
            second=second,
        )
        if index:
            given = _connected(trace, layer, decisions)
        trace.layers.append(layer)
        cell = (second.output, second.state)
    return trace


def _connected(trace: Trace, layer: Layer, decisions: Decisions) -> Array:
    """Decide on the skip connections of a layer, and return the input of the next one."""
    weights, outputs = trace.weights, trace.outputs
    later = layer.second.output @ weights["later"]
    layer.compared = np.tanh(later[:, None] + outputs @ weights["earlier"])
    scores = (layer.compared @ weights["skip"])[..., 0]
    layer.skip_scores = scores
    layer.likely_skips = _sigmoid(2 * _bounded(trace.shape, scores))
    layer.skips = decisions.skips(len(trace.layers), layer.likely_skips)
    layer.weight = 1 / (1 + layer.skips.sum(axis=1, keepdims=True))
    return np.asarray(np.einsum("al,alh->ah", layer.skips, outputs) * layer.weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How good each decision of a trace was: the gradients of what the training maximizes."""

    operations: Callable[[Layer], Array]
    """By the bounded scores of the operations."""
    skips: Callable[[Layer], Array]
    """By the bounded score of each skip connection."""


def gradient(trace: Trace, wish: Wish) -> Weights:
    """Return the gradient of the wish by each weight, summed over the architectures."""
    weights, shape = trace.weights, trace.shape
    found = {name: np.zeros_like(value) for name, value in weights.items()}
    outputs = trace.outputs
    of_outputs = np.zeros_like(outputs)
    of_state, of_output = np.zeros_like(outputs[:, 0]), np.zeros_like(outputs[:, 0])
    of_given = np.zeros_like(outputs[:, 0])
    for index in range(shape.layers - 1, -1, -1):
        layer = trace.layers[index]
        if index:
            _of_skips(trace, index, wish.skips(layer), (of_given, of_outputs), found)
        else:  # the input of the second layer is the same as that of the first
            found["input"] += of_given.sum(axis=0)
        of_output = of_output + of_outputs[:, index]
        of_given, of_output, of_state = _step_back(
            weights["lstm"], layer.second, of_output, of_state, found["lstm"]
        )
        np.add.at(found["embedding"], layer.operation, of_given)
        of_scores = wish.operations(layer) * _slope(shape, layer.operation_scores)
        found["operation"] += layer.first.output.T @ of_scores
        of_output = of_output + of_scores @ weights["operation"].T
        of_given, of_output, of_state = _step_back(
            weights["lstm"], layer.first, of_output, of_state, found["lstm"]
        )
    found["input"] += of_given.sum(axis=0)
    return found


def _of_skips(
    trace: Trace, index: int, wished: Array, back: tuple[Array, Array], found: Weights
) -> None:
    """Go back through the skip connections of a layer.

    `back` has the gradient of what they gave, and those of the outputs; these and `found` grow.
    """
    of_given, of_outputs = back
    layer, weights = trace.layers[index], trace.weights
    compared, scores, skips, weight = layer.compared, layer.skip_scores, layer.skips, layer.weight
    if compared is None or scores is None or skips is None or weight is None:
        return
    earlier = trace.outputs[:, :index]
    of_outputs[:, :index] += skips[..., None] * (of_given * weight)[:, None]
    of_scores = wished * _slope(trace.shape, scores)
    found["skip"] += np.einsum("alh,al->h", compared, of_scores)[:, None]
    of_compared = of_scores[..., None] * weights["skip"][:, 0] * (1 - compared**2)
    of_later = of_compared.sum(axis=1)
    found["later"] += layer.second.output.T @ of_later
    found["earlier"] += np.einsum("alh,alk->hk", earlier, of_compared)
    of_outputs[:, index] += of_later @ weights["later"].T
    of_outputs[:, :index] += of_compared @ weights["earlier"].T


def _stepped(lstm: Array, given: Array, output: Array, state: Array) -> Cell:
    hidden = output.shape[1]
    joined = np.concatenate([given, output], axis=1)
    gates = joined @ lstm
    gates[:, : 3 * hidden] = _sigmoid(gates[:, : 3 * hidden])
    gates[:, 3 * hidden :] = np.tanh(gates[:, 3 * hidden :])
    enter, keep, leave, new = (gates[:, i * hidden : (i + 1) * hidden] for i in range(4))
    after = enter * new + keep * state
    squashed = np.tanh(after)
    return Cell(
        joined=joined,
        gates=gates,
        before=state,
        squashed=squashed,
        state=after,
        output=leave * squashed,
    )


def _step_back(
    lstm: Array, cell: Cell, of_output: Array, of_state: Array, of_lstm: Array
) -> tuple[Array, Array, Array]:
    """Return the gradients of the input, the output before and the state before."""
    hidden = of_output.shape[1]
    enter, keep, leave, new = (cell.gates[:, i * hidden : (i + 1) * hidden] for i in range(4))
    of_state = of_state + of_output * leave * (1 - cell.squashed**2)
    of_gates = np.concatenate(
        [
            of_state * new * enter * (1 - enter),
            of_state * cell.before * keep * (1 - keep),
            of_output * cell.squashed * leave * (1 - leave),
            of_state * enter * (1 - new**2),
        ],
        axis=1,
    )
    of_lstm += cell.joined.T @ of_gates
    of_joined = of_gates @ lstm.T
    return of_joined[:, :hidden], of_joined[:, hidden:], of_state * keep


def _bounded(shape: Shape, scores: Array) -> Array:
    scaled = scores if shape.temperature is None else scores / shape.temperature
    return scaled if shape.bound is None else shape.bound * np.tanh(scaled)


def _slope(shape: Shape, scores: Array) -> Array:
    """Return the derivative of the bounded scores by the scores."""
    scale = 1.0 if shape.temperature is None else 1 / shape.temperature
    if shape.bound is None:
        return np.full_like(scores, scale)
    return np.asarray(scale * shape.bound * (1 - np.tanh(scores * scale) ** 2))


def _softmax(scores: Array) -> Array:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _sigmoid(scores: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)))
