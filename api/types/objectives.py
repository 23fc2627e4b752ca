"""The objective of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ObjectiveType(StrEnum):
    """Which direction is better; UNKNOWN if the object does not say."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"
    UNKNOWN = ""


class Strategy(StrEnum):
    """Which value of a metric stands for the trial."""

    MIN = "min"
    MAX = "max"
    LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricStrategy:
    """The strategy for the metric called `name`; in YAML it is the entry's `value`."""

    name: str
    strategy: Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The metric to optimize, and additional metrics to collect."""

    type: ObjectiveType = ObjectiveType.UNKNOWN
    goal: float | None = None
    """The experiment ends when the goal is reached; None means no goal."""
    metric: str = ""
    additional: tuple[str, ...] = ()
    strategies: tuple[MetricStrategy, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """All metric names to collect, the objective first."""
        return (self.metric, *self.additional)
