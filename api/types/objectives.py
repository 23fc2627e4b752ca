"""What an experiment tries to reach."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ObjectiveType(StrEnum):
    """Which way is better. UNKNOWN is what an object has that does not say."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"
    UNKNOWN = ""


class Strategy(StrEnum):
    """Which of a metric's many values stands for the trial."""

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
    """The metric to optimize, and the metrics to watch beside it."""

    type: ObjectiveType = ObjectiveType.UNKNOWN
    goal: float | None = None
    """Reached means done; None means that only the trial counts end the experiment."""
    metric: str = ""
    additional: tuple[str, ...] = ()
    strategies: tuple[MetricStrategy, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """All metric names to collect, the objective's first."""
        return (self.metric, *self.additional)
