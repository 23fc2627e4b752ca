"""`darts`: each trial trains one network that contains all operations, and finds the best itself.

The search is inside the trial (a supernet whose operations have weights), so all trials get the
same three parameters, JSON with single quotes as in Katib:

| parameter | what it has |
|---|---|
| `algorithm-settings` | the settings below; those of the Experiment as texts, `None` as null |
| `search-space` | the names of the operations, such as `separable_convolution_3x3` |
| `num-layers` | how many layers the network has |

A setting that is not in the list below is passed on too. One trial is enough; several with the same
settings only differ by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from api.objects.validation_nas import SKIP_CONNECTION
from api.types import Assignment, Operation
from suggestion.core.algorithm import LARGEST_WHOLE, Algorithm, Rule, text_setting
from suggestion.core.network_space import values_of, written
from suggestion.core.search_space import Point, SearchSpace
from suggestion.core.trial_history import History

DEFAULTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "num_epochs": 50,
        "w_lr": 0.025,
        "w_lr_min": 0.001,
        "w_momentum": 0.9,
        "w_weight_decay": 3e-4,
        "w_grad_clip": 5.0,
        "alpha_lr": 3e-4,
        "alpha_weight_decay": 1e-3,
        "batch_size": 128,
        "num_workers": 4,
        "init_channels": 16,
        "print_step": 50,
        "num_nodes": 4,
        "stem_multiplier": 3,
    }
)
"""Katib's, in its order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Darts:
    """Passes the settings and the space on to the trials."""

    settings: Mapping[str, float | str | None] = field(default_factory=lambda: DEFAULTS)

    def suggest(
        self, space: SearchSpace, _history: History, count: int, _seed: int
    ) -> tuple[Point, ...]:
        """Return `count` times the same parameters."""
        network = space.network
        if network is None:
            return ()
        operations = [name for kind in network.config.operations for name in _names(kind)]
        point = (
            Assignment(name="algorithm-settings", value=written(dict(self.settings))),
            Assignment(name="search-space", value=written(operations)),
            Assignment(name="num-layers", value=str(network.layers)),
        )
        return (point,) * count


def _names(kind: Operation) -> Iterator[str]:
    """Yield the names of a kind of layer, one for each value of its first parameter."""
    if kind.type == SKIP_CONNECTION:
        yield kind.type
        return
    for size in values_of(kind.parameters[0]):
        yield f"{kind.type}_{size}x{size}"


def _make(**settings: str) -> Darts:
    own = {name: None if one == "None" else one for name, one in settings.items()}
    return Darts(settings={**DEFAULTS, **own})


def _rule(name: str, *, whole: bool, least: int, why: str, may_be_none: bool = False) -> Rule:
    """Return the rule of a number that is passed on as the text that the user wrote."""
    number: Callable[[str], float] = int if whole else float
    kind = "a whole number" if whole else "a number"

    def read(text: str) -> str:
        if not (may_be_none and text == "None"):
            number(text)
        return text

    def holds(text: str) -> bool:
        return text == "None" or least <= number(text) <= LARGEST_WHOLE

    return Rule(
        name=name,
        read=read,
        write=f"{kind} from {least} to {LARGEST_WHOLE}{', or None' if may_be_none else ''}",
        holds=holds,
        why=f"{name} should be {why}",
    )


def _whole(name: str, least: int, *, why: str = "", may_be_none: bool = False) -> Rule:
    words = why or f"greater than or equal to {('zero', 'one')[least]}"
    return _rule(name, whole=True, least=least, why=words, may_be_none=may_be_none)


def _real(name: str) -> Rule:
    return _rule(name, whole=False, least=0, why="greater than or equal to zero")


ALGORITHM = Algorithm(
    make=_make,
    rules=(
        _whole("num_epochs", 1, why="greater than zero"),
        _real("w_lr"),
        _real("w_lr_min"),
        _real("w_momentum"),
        _real("w_weight_decay"),
        _real("w_grad_clip"),
        _real("alpha_lr"),
        _real("alpha_weight_decay"),
        _whole("batch_size", 1, may_be_none=True),
        _whole("num_workers", 0),
        _whole("init_channels", 1),
        _whole("print_step", 1),
        _whole("num_nodes", 1),
        _whole("stem_multiplier", 1),
    ),
    others=lambda name: text_setting(name, "a text for the trials"),
    seeded=False,
    parameters=False,
    networks=True,
)
