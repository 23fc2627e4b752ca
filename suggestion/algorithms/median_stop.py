"""`medianstop`: stops a trial that is worse than half of the finished trials at the same step.

For each trial that succeeded, the first `start_step` values of the objective are averaged. The stop
rule is the median of these averages. (Katib takes their arithmetic mean, which a single diverged
trial can distort.)

A trial gets this rule when it is made, and its collector applies it. While the trial runs, the
controller judges it anew (`stopping.median`).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from api.algorithm_settings import read_values
from api.metric_values import finite
from api.types import Comparison, EarlyStoppingSpec, Objective, ObjectiveType, StopRule
from stopping.median import MEDIAN_SETTINGS, NAME
from stopping.rule import SETTINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianStop:
    """The settings, with Katib's defaults."""

    min_trials_required: int = 3
    start_step: int = 4

    def rules(self, objective: Objective, averages: Sequence[float]) -> tuple[StopRule, ...]:
        """Return the rule for the averages of the finished trials; none if they are too few."""
        if len(averages) < self.min_trials_required:
            return ()
        worse = objective.type is ObjectiveType.MAXIMIZE
        return (
            StopRule(
                name=objective.metric,
                value=repr(statistics.median(averages)),
                comparison=Comparison.LESS if worse else Comparison.GREATER,
                start_step=self.start_step,
            ),
        )

    def average(self, values: Iterable[str]) -> float | None:
        """Return the average of a trial's first values, in the order of time; None without values.

        A value that is not a finite number counts as a step, but not for the average.
        """
        first = map(finite, islice(values, self.start_step))
        numbers = [number for number in first if number is not None]
        return statistics.fmean(numbers) if numbers else None


def median_stop_of(spec: EarlyStoppingSpec) -> MedianStop:
    """Read the settings of `medianstop`.

    Raises:
        SpecError: a setting is wrong.
    """
    return MedianStop(**read_values(NAME, MEDIAN_SETTINGS, spec.settings, SETTINGS))
