"""`medianstop`: stops a trial that is worse than half of the trials that succeeded.

After each value of a trial, from the `start_step`-th on, its best value so far is compared with the
averages of the trials that succeeded, each over as many values. The trial is stopped if its best
value is worse than the median of these averages. (Katib compares with the arithmetic mean of the
averages over the first `start_step` values, which is fixed when the trial is made.)
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stopping.curves import Curve, Mark, Resource
from stopping.rule import Goal, StoppingAlgorithm, TrialHistory, TrialState, Verdict
from stopping.shared_settings import MIN_TRIALS, START_STEP

NAME: Final = "medianstop"
MEDIAN_SETTINGS: Final = (MIN_TRIALS, START_STEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMedianStop:
    """The settings, with Katib's defaults."""

    min_trials_required: int = 3
    start_step: int = 4

    def judge(self, goal: Goal, trials: Sequence[TrialHistory]) -> tuple[Verdict, ...]:
        """Stop the running trials that are worse than the median."""
        ended = [one.curve(goal.metric) for one in trials if one.state is TrialState.SUCCEEDED]
        running = [one for one in trials if one.state is TrialState.RUNNING]
        found = (self._verdict(goal, one, ended) for one in running)
        return tuple(one for one in found if one is not None)

    def _verdict(self, goal: Goal, trial: TrialHistory, ended: Sequence[Curve]) -> Verdict | None:
        last = trial.curve(goal.metric).last
        if last is None or last.number < self.start_step:
            return None
        means = [_mean(curve, last) for curve in ended]
        known = [mean for mean in means if mean is not None]
        if len(known) < self.min_trials_required:
            return None
        median = statistics.median(known)
        if goal.least_loss(last) <= goal.loss(median):
            return None
        why = (
            f"{NAME}: its best {goal.metric} of {last.number} values is {goal.best(last)}, worse"
            f" than {median:.6g}, the median of {len(known)} trials that succeeded"
        )
        return Verdict(trial=trial.name, why=why)


def _mean(curve: Curve, mark: Mark) -> float | None:
    """Return the mean of a curve's first values: as many as `mark` has, or all."""
    there = curve.at(mark.number, Resource.POINTS) or curve.last
    return there.mean if there else None


ALGORITHM = StoppingAlgorithm(make=LiveMedianStop, settings=MEDIAN_SETTINGS)
