"""`enas`: a policy draws the architectures of networks, and learns from the results of the trials.

The policy is an LSTM (`enas_policy`), trained by REINFORCE (`enas_training`), with the settings of
Katib's service. Its first architectures are nearly uniformly random. With each result, those
decisions become more likely whose trials were better than the others.

| here | Katib's service |
|---|---|
| an architecture is rewarded by the result of its own trial | by the mean of all trials |
| the baseline is the mean of the rewards so far | begins at 0, so it takes thousands of steps |
| rewards are in standard deviations | in the units of the metric |
| an architecture is not tried twice | it may be |
| the history is the only state | a file of weights, lost with the container |

A trial gets `architecture`, for each layer the number of its operation and a flag for each earlier
layer, and `nn_config`, which describes the operations: JSON with single quotes, as in Katib.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import ThreadpoolController

from api.types import Assignment
from suggestion.algorithms.enas_policy import Array, Shape, Weights, Whole, run
from suggestion.algorithms.enas_training import Architecture, Result, Training, learned
from suggestion.core.algorithm import LARGEST_WHOLE, Algorithm, Rule
from suggestion.core.network_space import NetworkSpace, written
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History, PastTrial, one_by_one, seed_at

ARCHITECTURE = "architecture"
NN_CONFIG = "nn_config"
_DRAWS = 50
"""How often an architecture is drawn again that a trial has had already."""
_MOST_HIDDEN = 512
_MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Enas:
    """Architecture search with a policy, with Katib's settings."""

    controller_hidden_size: int = 64
    controller_temperature: float | None = 5.0
    controller_tanh_const: float | None = 2.25
    controller_entropy_weight: float | None = 1e-5
    controller_baseline_decay: float = 0.999
    controller_learning_rate: float = 5e-5
    controller_skip_target: float = 0.4
    controller_skip_weight: float | None = 0.8
    controller_train_steps: int = 50
    controller_log_every_steps: int = 10
    """Without an effect: Katib's service logs its steps."""

    def suggest(
        self, space: SearchSpace, history: History, count: int, seed: int
    ) -> tuple[Point, ...]:
        """Draw the next architectures."""
        network = space.network
        if network is None or not count:
            return ()
        with ThreadpoolController().limit(limits=1):  # the sums of several threads may differ
            shape = self._shape(network)
            weights = learned(shape, self._training(), _results(history, network), seed)
            return one_by_one(
                lambda past: _point(network, _drawn(shape, weights, past, network, seed)),
                history,
                count,
            )

    def _shape(self, network: NetworkSpace) -> Shape:
        return Shape(
            layers=network.layers,
            operations=len(network.operations),
            hidden=self.controller_hidden_size,
            temperature=self.controller_temperature,
            bound=self.controller_tanh_const,
        )

    def _training(self) -> Training:
        return Training(
            steps=self.controller_train_steps,
            learning_rate=self.controller_learning_rate,
            decay=self.controller_baseline_decay,
            entropy_weight=self.controller_entropy_weight or 0.0,
            skip_target=self.controller_skip_target,
            skip_weight=self.controller_skip_weight or 0.0,
        )


class _Drawn:
    """Draws the decisions on one architecture."""

    def __init__(self, dice: np.random.Generator) -> None:
        self._dice = dice
        self.layers: list[list[int]] = []

    def operation(self, _layer: int, likely: Array) -> Whole:
        """Draw an operation."""
        drawn = int(np.searchsorted(np.cumsum(likely[0]), self._dice.random()))
        number = min(drawn, likely.shape[1] - 1)  # the likelihoods may add up to less than 1
        self.layers.append([number])
        return np.array([number])

    def skips(self, layer: int, likely: Array) -> Array:
        """Draw the skip connections of a layer."""
        drawn = self._dice.random(likely.shape) < likely
        self.layers[layer].extend(drawn[0].astype(int).tolist())
        return drawn.astype(likely.dtype)


def _drawn(
    shape: Shape, weights: Weights, past: History, network: NetworkSpace, seed: int
) -> Architecture:
    """Draw the architecture of trial number `len(past)`, if possible one that no trial has had."""
    dice = np.random.default_rng(seed_at(seed, len(past), "enas"))
    tried = {architecture_of(one, network) for one in past}
    architecture: Architecture = ()
    for _ in range(_DRAWS):
        decisions = _Drawn(dice)
        run(shape, weights, 1, decisions)
        architecture = tuple(map(tuple, decisions.layers))
        if architecture not in tried:
            break
    return architecture


def _results(history: History, network: NetworkSpace) -> list[Result]:
    found = ((architecture_of(one, network), one.loss) for one in history)
    return [
        Result(architecture=architecture, reward=-loss)
        for architecture, loss in found
        if architecture is not None and loss is not None
    ]


def architecture_of(past: PastTrial, network: NetworkSpace) -> Architecture | None:
    """Read the architecture of a trial; None if it is not one of this space."""
    text = next((one.value for one in past.assignments if one.name == ARCHITECTURE), "")
    try:
        layers = json.loads(text.replace("'", '"'))
    except (ValueError, RecursionError):
        return None
    if not isinstance(layers, list) or len(layers) != network.layers:
        return None
    if not all(_is_layer(one, index, network) for index, one in enumerate(layers)):
        return None
    return tuple(map(tuple, layers))


def _is_layer(layer: object, index: int, network: NetworkSpace) -> bool:
    if not isinstance(layer, list) or len(layer) != index + 1:
        return False
    if not all(type(one) is int for one in layer):
        return False
    number, *skips = layer
    return 0 <= number < len(network.operations) and all(skip in (0, 1) for skip in skips)


def _point(network: NetworkSpace, architecture: Architecture) -> Point:
    return (
        Assignment(name=ARCHITECTURE, value=written([list(layer) for layer in architecture])),
        Assignment(name=NN_CONFIG, value=written(_config(network, architecture))),
    )


def _config(network: NetworkSpace, architecture: Architecture) -> dict[str, object]:
    """Describe the operations of an architecture."""
    used = dict.fromkeys(number for number, *_ in architecture)
    graph = network.config.graph
    return {
        "num_layers": network.layers,
        "input_sizes": list(graph.input_sizes),
        "output_sizes": list(graph.output_sizes),
        "embedding": {
            number: {
                "opt_id": number,
                "opt_type": network.operations[number].type,
                "opt_params": dict(network.operations[number].parameters),
            }
            for number in used
        },
    }


# -- settings -------------------------------------------------------------------------------


def _or_none(read: Callable[[str], float]) -> Callable[[str], float | None]:
    return lambda text: None if text == "None" else read(text)


def _real(name: str, *, ends: str, most: int = LARGEST_WHOLE, may_be_none: bool = False) -> Rule:
    """Return the rule of a number above 0; `ends` are those in Katib's message."""
    also = ", or None" if may_be_none else ""
    return Rule(
        name=name,
        read=_or_none(float) if may_be_none else float,
        write=f"a number above 0, up to {most}{also}",
        holds=lambda value: value is None or 0 < value <= most,
        why=f"Algorithm Setting {name}: {{}} with float type must be in range {ends}",
        unreadable=f"Algorithm Setting {name} must be float type: {{}} is not a number",
    )


def _whole(name: str, most: int) -> Rule:
    return Rule(
        name=name,
        read=int,
        write=f"a whole number from 1 to {most}",
        holds=lambda value: bool(value >= 1),
        why=f"Algorithm Setting {name}: {{}} with int type must be in range [1, inf)",
        unreadable=f"Algorithm Setting {name} must be int type: {{}} is not a whole number",
        most=most,
    )


RULES: Sequence[Rule] = (
    _whole("controller_hidden_size", _MOST_HIDDEN),
    _real("controller_temperature", ends="(0, inf)", may_be_none=True),
    _real("controller_tanh_const", ends="(0, inf)", may_be_none=True),
    _real("controller_entropy_weight", ends="(0.0, inf)", may_be_none=True),
    _real("controller_baseline_decay", ends="(0.0, 1.0)", most=1),
    _real("controller_learning_rate", ends="(0.0, 1.0)", most=1),
    _real("controller_skip_target", ends="(0.0, 1.0)", most=1),
    _real("controller_skip_weight", ends="(0.0, inf)", may_be_none=True),
    _whole("controller_train_steps", _MOST_STEPS),
    _whole("controller_log_every_steps", LARGEST_WHOLE),
)

ALGORITHM = Algorithm(
    make=Enas,
    rules=tuple(RULES),
    unknown="Unknown Algorithm Setting name: {}",
    parameters=False,
    networks=True,
)
