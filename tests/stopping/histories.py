"""Histories of trials, made of lists of values; each value has a step and a second of its own."""

from __future__ import annotations

from collections.abc import Sequence

from stopping.curves import Curve, Point, curve_of
from stopping.rule import Goal, StoppingRule, TrialHistory, TrialState

LOSS = Goal(metric="loss")
ACCURACY = Goal(metric="accuracy", maximize=True)


def curve(values: Sequence[float | str], *, begun: int = 0) -> Curve:
    return curve_of(
        Point(str(value), step, (begun + step) * 1_000_000) for step, value in enumerate(values, 1)
    )


def trial(
    name: str,
    values: Sequence[float | str],
    state: TrialState = TrialState.RUNNING,
    *,
    metric: str = "loss",
    begun: int = 0,
) -> TrialHistory:
    return TrialHistory(name=name, state=state, curves={metric: curve(values, begun=begun)})


def succeeded(name: str, values: Sequence[float | str]) -> TrialHistory:
    return trial(name, values, TrialState.SUCCEEDED)


def stopped_by(
    rule: StoppingRule, trials: Sequence[TrialHistory], goal: Goal = LOSS
) -> dict[str, str]:
    return {one.trial: one.why for one in rule.judge(goal, trials)}
