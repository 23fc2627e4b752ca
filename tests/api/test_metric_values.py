"""Which of a metric's values stands for a trial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.metric_values import finite, objective_value, strategy_of, value_of
from api.names import UNAVAILABLE
from api.objects.defaults import with_defaults
from api.types import (
    Experiment,
    ExperimentSpec,
    MetricStrategy,
    Objective,
    ObjectiveType,
    Observation,
    ObservedMetric,
    Strategy,
)

_TEXTS = st.sampled_from(["", UNAVAILABLE, "0.1", "0.930", "nan", "high"])
_METRICS = st.builds(ObservedMetric, name=st.just("a"), min=_TEXTS, max=_TEXTS, latest=_TEXTS)


def with_strategy(*strategies: Strategy) -> Objective:
    named = tuple(MetricStrategy(name="a", strategy=one) for one in strategies)
    return Objective(type=ObjectiveType.MINIMIZE, metric="a", strategies=named)


@pytest.mark.parametrize(
    ("strategy", "metric", "text"),
    [
        (Strategy.MIN, ("0.01", "0.08", "0.05"), "0.01"),
        (Strategy.MAX, ("0.70", "0.95", "0.90"), "0.95"),
        (Strategy.LATEST, ("0.8", "0.94", "0.93"), "0.93"),
        (Strategy.LATEST, ("0.8", "0.94", "nan"), "nan"),
        (Strategy.MIN, (UNAVAILABLE, "0.08", "0.05"), "0.05"),
        (Strategy.MAX, ("0.70", UNAVAILABLE, "0.90"), "0.90"),
        (Strategy.MIN, ("", "", "0.05"), "0.05"),
        (Strategy.MIN, (UNAVAILABLE, UNAVAILABLE, UNAVAILABLE), UNAVAILABLE),
    ],
)
def test_the_value_is_chosen_by_the_strategy_as_katib_chooses_it(
    strategy: Strategy, metric: tuple[str, str, str], text: str
) -> None:
    low, high, latest = metric
    seen = ObservedMetric(name="a", min=low, max=high, latest=latest)

    assert value_of(seen, with_strategy(strategy)) == text


@pytest.mark.parametrize(
    ("kind", "strategy"),
    [
        (ObjectiveType.MINIMIZE, Strategy.MIN),
        (ObjectiveType.MAXIMIZE, Strategy.MAX),
        (ObjectiveType.UNKNOWN, Strategy.LATEST),
    ],
)
def test_a_metric_without_a_strategy_has_what_the_webhook_would_write(
    kind: ObjectiveType, strategy: Strategy
) -> None:
    plain = Objective(type=kind, metric="a", additional=("b",))
    written = with_defaults(Experiment(spec=ExperimentSpec(objective=plain))).spec.objective
    assert written is not None

    for name in ("a", "b"):
        assert strategy_of(name, plain) == strategy_of(name, written) == strategy


def test_of_several_strategies_for_one_metric_the_first_holds() -> None:
    assert strategy_of("a", with_strategy(Strategy.LATEST, Strategy.MAX)) is Strategy.LATEST


@given(_METRICS, st.sampled_from(Strategy))
def test_a_value_is_one_of_the_three_and_missing_only_where_the_latest_is(
    metric: ObservedMetric, strategy: Strategy
) -> None:
    value = value_of(metric, with_strategy(strategy))

    assert value in {metric.min, metric.max, metric.latest}
    if value in {"", UNAVAILABLE}:
        assert metric.latest == value


def test_the_objective_has_no_value_where_it_was_not_observed_or_is_not_finite() -> None:
    objective = with_strategy(Strategy.MIN)
    other = ObservedMetric(name="b", min="1", max="1", latest="1")
    diverged = ObservedMetric(name="a", min=UNAVAILABLE, max=UNAVAILABLE, latest="nan")

    assert objective_value(None, objective) is None
    assert objective_value(Observation(metrics=(other,)), objective) is None
    assert objective_value(Observation(metrics=(other, diverged)), objective) is None


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-Infinity", "1e999", "", "high", "1_0", "unavailable"]
)
def test_what_is_not_a_finite_number_is_none(text: str) -> None:
    assert finite(text) is None
