"""`observation` and `objective`."""

from __future__ import annotations

from api.types import (
    Json,
    MetricStrategy,
    Objective,
    ObjectiveType,
    Observation,
    ObservedMetric,
    Strategy,
)

from .fields import Field
from .rendering import present


def parse_objective(f: Field) -> Objective:
    """Read `objective`."""
    return Objective(
        type=f.at("type").choice(ObjectiveType, ObjectiveType.UNKNOWN),
        goal=f.at("goal").number(),
        metric=f.at("objectiveMetricName").text(),
        additional=f.at("additionalMetricNames").texts(),
        strategies=f.at("metricStrategies").records(_parse_strategy),
    )


def _parse_strategy(f: Field) -> MetricStrategy:
    strategy = f.at("value")
    if strategy.absent:
        strategy.require("must be min, max or latest")
    return MetricStrategy(
        name=f.at("name").text(), strategy=strategy.choice(Strategy, Strategy.LATEST)
    )


def render_objective(objective: Objective) -> Json:
    """Write `objective`."""
    return present(
        {
            "type": objective.type.value,
            "goal": objective.goal,
            "objectiveMetricName": objective.metric,
            "additionalMetricNames": objective.additional,
            "metricStrategies": tuple(
                {"name": s.name, "value": s.strategy.value} for s in objective.strategies
            ),
        }
    )


def parse_observation(f: Field) -> Observation:
    """Read an observation; unknown fields are ignored, as in the rest of `status`."""
    return Observation(metrics=f.open_ended().at("metrics").records(_parse_metric))


def _parse_metric(f: Field) -> ObservedMetric:
    f.open_ended()
    return ObservedMetric(
        name=f.at("name").text(),
        min=f.at("min").text(),
        max=f.at("max").text(),
        latest=f.at("latest").text(),
    )


def render_observation(observation: Observation) -> Json:
    """Write `observation`."""
    return present({"metrics": tuple(_render_metric(m) for m in observation.metrics)})


def _render_metric(metric: ObservedMetric) -> Json:
    return present(
        {"name": metric.name, "min": metric.min, "max": metric.max, "latest": metric.latest}
    )
