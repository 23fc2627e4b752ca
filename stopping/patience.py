"""`patience`: stops a trial whose objective does not improve any more.

A value is an improvement if it is better than the best one before by more than `min_delta`. A trial
is stopped when `n` of the resource have been used since the last improvement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.algorithm_settings import number, whole
from stopping.curves import Curve, Resource
from stopping.rule import (
    RESOURCE,
    Goal,
    StoppingAlgorithm,
    TrialHistory,
    TrialState,
    Verdict,
    amount_text,
)
from stopping.shared_settings import START_STEP

_LARGEST = 1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The settings."""

    n: int = 10
    min_delta: float = 0.0
    start_step: int = 1
    """No trial is stopped before it has used so much."""
    resource: Resource = Resource.STEP

    def judge(self, goal: Goal, trials: Sequence[TrialHistory]) -> tuple[Verdict, ...]:
        """Stop the running trials that have not improved for too long."""
        running = [one for one in trials if one.state is TrialState.RUNNING]
        found = (self._verdict(goal, one) for one in running)
        return tuple(one for one in found if one is not None)

    def _verdict(self, goal: Goal, trial: TrialHistory) -> Verdict | None:
        curve = trial.curve(goal.metric)
        used = curve.used(self.resource)
        if not curve.marks or used < self.start_step:
            return None
        best_at = self._last_improvement(goal, curve)
        if used - best_at < self.n:
            return None
        why = (
            f"patience: {goal.metric} has not improved by more than {self.min_delta:g} since"
            f" {amount_text(best_at, self.resource)}; it has {amount_text(used, self.resource)} now"
        )
        return Verdict(trial=trial.name, why=why)

    def _last_improvement(self, goal: Goal, curve: Curve) -> float:
        """Return what was used at the last improvement; the first mark if there was none."""
        best, best_at = float("inf"), curve.marks[0].used(self.resource)
        for mark in curve.marks:
            loss = goal.least_loss(mark)
            if loss < best - self.min_delta:
                best, best_at = loss, mark.used(self.resource)
        return best_at


ALGORITHM = StoppingAlgorithm(
    make=Patience,
    settings=(
        whole("n", least=1, why="n must be greater than zero (>0)"),
        number("min_delta", least=0, most=_LARGEST, why="min_delta must not be negative"),
        START_STEP,
        RESOURCE,
    ),
)
