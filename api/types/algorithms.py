"""Search algorithms, early-stopping algorithms and stop rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of an algorithm; the algorithm defines what the text means."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmSpec:
    """The search algorithm: `random`, `grid`, `tpe`, ..."""

    name: str = ""
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStoppingSpec:
    """The early-stopping algorithm: `medianstop`."""

    name: str = ""
    settings: tuple[Setting, ...] = ()


class Comparison(StrEnum):
    """How a metric is compared with a stop rule's value."""

    EQUAL = "equal"
    LESS = "less"
    GREATER = "greater"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """Stop the trial when `comparison` holds between the metric `name` and `value`.

    `start_step` is the number of values of the metric before the first comparison.
    """

    name: str
    value: str
    comparison: Comparison
    start_step: int = 0
