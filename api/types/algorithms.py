"""How the next trials are chosen, and when a running one is given up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of an algorithm; the algorithm itself gives the text a meaning."""

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
    """How a metric is held against a stop rule's value."""

    EQUAL = "equal"
    LESS = "less"
    GREATER = "greater"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """Stop the trial when the metric `name` compares so with `value`.

    `start_step` is the number of values of the metric that come before the first comparison.
    """

    name: str
    value: str
    comparison: Comparison
    start_step: int = 0
