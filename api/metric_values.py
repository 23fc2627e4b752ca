"""What a metric's values mean: the number in a text, and the value that stands for a trial.

A trial has many values of each metric. One of them stands for the trial everywhere: in the search,
in the experiment's optimum and goal, in Katib's services, and in the tables that users see.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Final

from api.names import UNAVAILABLE
from api.types import Objective, ObjectiveType, Observation, ObservedMetric, Strategy

STRATEGIES: Final = MappingProxyType(
    {
        ObjectiveType.MINIMIZE: Strategy.MIN,
        ObjectiveType.MAXIMIZE: Strategy.MAX,
        ObjectiveType.UNKNOWN: Strategy.LATEST,
    }
)
"""Katib's defaults. They apply to additional metrics too, by the type of the objective."""


def strategy_of(name: str, objective: Objective) -> Strategy:
    """Return the strategy of the metric `name`; by default that of the objective's type.

    If a metric has several strategies, the first one applies.
    """
    named = (one.strategy for one in objective.strategies if one.name == name)
    return next(named, STRATEGIES[objective.type])


def value_of(metric: ObservedMetric, objective: Objective) -> str:
    """Return the text of the value that stands for a trial.

    | strategy | the value |
    |----------|-----------|
    | `min`    | `min`; `latest` if no value was a finite number |
    | `max`    | `max`; `latest` if no value was a finite number |
    | `latest` | `latest`, whatever it is |

    The text is `unavailable` or "" if nothing was measured.
    """
    by_strategy = {Strategy.MIN: metric.min, Strategy.MAX: metric.max}
    chosen = by_strategy.get(strategy_of(metric.name, objective), metric.latest)
    return metric.latest if chosen in ("", UNAVAILABLE) else chosen


def objective_value(observation: Observation | None, objective: Objective) -> float | None:
    """Return a trial's value of the objective; None if it is not a finite number."""
    metrics = observation.metrics if observation else ()
    metric = next((one for one in metrics if one.name == objective.metric), None)
    return None if metric is None else finite(value_of(metric, objective))


def finite(text: str) -> float | None:
    """Return the number that a text means; None if it is not a finite number."""
    try:
        number = float(text)
    except ValueError:
        return None
    # Python accepts `_` between digits, but no trainer prints it.
    return number if math.isfinite(number) and "_" not in text else None
