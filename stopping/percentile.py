"""`percentile`: stops a trial that is not among the best so many percent at the same amount.

After each value of a trial, from `start_step` of the resource on, its best value so far is compared
with the best values of all other trials that have used as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from api.algorithm_settings import number
from stopping.curves import Resource
from stopping.rule import (
    RESOURCE,
    Goal,
    StoppingAlgorithm,
    TrialHistory,
    TrialState,
    Verdict,
    amount_text,
)
from stopping.shared_settings import MIN_TRIALS, START_STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentileStop:
    """The settings."""

    percentile: float = 50.0
    """How many percent of the trials go on."""
    min_trials_required: int = 3
    start_step: int = 4
    resource: Resource = Resource.STEP

    def judge(self, goal: Goal, trials: Sequence[TrialHistory]) -> tuple[Verdict, ...]:
        """Stop the running trials that are not among the best."""
        running = [one for one in trials if one.state is TrialState.RUNNING]
        found = (self._verdict(goal, one, trials) for one in running)
        return tuple(one for one in found if one is not None)

    def _verdict(
        self, goal: Goal, trial: TrialHistory, trials: Sequence[TrialHistory]
    ) -> Verdict | None:
        curve = trial.curve(goal.metric)
        used, last = curve.used(self.resource), curve.last
        if last is None or used < self.start_step:
            return None
        others = (one.curve(goal.metric) for one in trials if one.name != trial.name)
        marks = [mark for other in others if (mark := other.at(used, self.resource))]
        if len(marks) < self.min_trials_required:
            return None
        loss = goal.least_loss(last)
        better = sum(goal.least_loss(mark) < loss for mark in marks)
        keep = max(1, math.floor((len(marks) + 1) * self.percentile / 100))
        if better < keep:
            return None
        why = (
            f"percentile: {better} of {len(marks) + 1} trials have a better {goal.metric} until"
            f" {amount_text(used, self.resource)}; the best {keep} go on"
        )
        return Verdict(trial=trial.name, why=why)


ALGORITHM = StoppingAlgorithm(
    make=PercentileStop,
    settings=(
        number("percentile", least=0.1, most=100, why="percentile must be from 0.1 to 100"),
        MIN_TRIALS,
        START_STEP,
        RESOURCE,
    ),
)
