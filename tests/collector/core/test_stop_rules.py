"""When the stop rules stop a trial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import Comparison, ObjectiveType, StopRule
from collector.core.stop_rules import StopRules, StopState


def rule(name: str, comparison: Comparison, value: str, start_step: int = 0) -> StopRule:
    return StopRule(name=name, value=value, comparison=comparison, start_step=start_step)


def stopped_at(rules: StopRules, points: list[tuple[str, str]]) -> int | None:
    """Return the number of points after which the trial is stopped."""
    state = StopState()
    for number, (name, value) in enumerate(points, 1):
        state = rules.observe(state, name, value)
        if rules.stop(state):
            return number
    return None


def maximize(*rules: StopRule) -> StopRules:
    return StopRules(rules=rules, objective="acc", objective_type=ObjectiveType.MAXIMIZE)


def series(name: str, *texts: str) -> list[tuple[str, str]]:
    return [(name, text) for text in texts]


def test_a_rule_holds_from_its_start_step_on_not_at_it_alone() -> None:
    rules = maximize(rule("loss", Comparison.GREATER, "2", 3))
    assert stopped_at(rules, series("loss", "9", "9", "1", "1", "9")) == 5


def test_before_the_start_step_nothing_is_compared() -> None:
    assert (
        stopped_at(maximize(rule("loss", Comparison.GREATER, "2", 3)), series("loss", "9", "9"))
        is None
    )


def test_a_rule_on_the_objective_compares_its_best_value() -> None:
    rules = maximize(rule("acc", Comparison.LESS, "0.5", 2))
    assert stopped_at(rules, series("acc", "0.6", "0.1", "0.1")) is None
    assert stopped_at(rules, series("acc", "0.4", "0.3")) == 2


def test_a_rule_on_a_minimized_objective_compares_its_smallest_value() -> None:
    rules = StopRules(
        rules=(rule("loss", Comparison.GREATER, "1", 2),),
        objective="loss",
        objective_type=ObjectiveType.MINIMIZE,
    )
    assert stopped_at(rules, series("loss", "0.5", "3", "3")) is None
    assert stopped_at(rules, series("loss", "2", "3")) == 2


def test_all_rules_must_have_been_met_each_at_its_own_time() -> None:
    rules = maximize(rule("a", Comparison.EQUAL, "1"), rule("b", Comparison.LESS, "0"))
    assert stopped_at(rules, [("a", "1"), ("a", "2"), ("b", "5"), ("b", "-1")]) == 4


def test_a_value_that_is_not_a_number_is_a_step_and_meets_no_rule() -> None:
    rules = maximize(rule("loss", Comparison.GREATER, "2", 2))
    assert stopped_at(rules, series("loss", "nan", "high", "", "3")) == 4


def test_after_nan_the_best_value_so_far_is_compared() -> None:
    rules = maximize(rule("acc", Comparison.LESS, "0.5", 3))
    assert stopped_at(rules, series("acc", "0.4", "nan", "nan")) == 3


def test_other_metrics_and_no_rules_stop_nothing() -> None:
    assert stopped_at(maximize(), series("acc", "0")) is None
    assert stopped_at(maximize(rule("loss", Comparison.LESS, "1")), series("acc", "0")) is None


@pytest.mark.parametrize(
    ("comparison", "value", "met"),
    [
        (Comparison.EQUAL, "1.0", True), (Comparison.EQUAL, "1.1", False), (Comparison.LESS, "1", False),
        (Comparison.LESS, "1.5", True), (Comparison.GREATER, "1", False), (Comparison.GREATER, "0.5", True),
    ],
)  # fmt: skip
def test_the_comparisons(comparison: Comparison, value: str, met: bool) -> None:  # noqa: FBT001 - a table
    assert (stopped_at(maximize(rule("x", comparison, value)), series("x", "1")) == 1) is met


@given(st.lists(st.tuples(st.sampled_from(["acc", "loss", "x"]), st.text(max_size=4))))
def test_every_text_is_accepted_as_a_value(points: list[tuple[str, str]]) -> None:
    stopped_at(
        maximize(rule("acc", Comparison.LESS, "0"), rule("x", Comparison.EQUAL, "1")), points
    )
