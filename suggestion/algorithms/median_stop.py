"""`medianstop`: stops a trial that is worse than half of the finished trials at the same step.

For each trial that succeeded, the first `start_step` values of the objective are averaged. The stop
rule is the median of these averages. (Katib takes their arithmetic mean, which a single diverged
trial can distort.)
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from api.errors import SpecError
from api.faults import invalid, nearest, required
from api.metric_values import finite
from api.types import Comparison, EarlyStoppingSpec, Objective, ObjectiveType, StopRule
from suggestion.core.algorithm import read_values, whole

NAME: Final = "medianstop"
_PATH: Final = "spec.earlyStopping"


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
    """Read the settings.

    Raises:
        SpecError: the algorithm is not `medianstop`, or a setting is wrong.
    """
    if spec.name != NAME:
        path = f"{_PATH}.algorithmName"
        if not spec.name:
            raise SpecError((required(path, f"must be specified; write {NAME}"),))
        near = nearest(spec.name, (NAME,)) or f"; write {NAME}"
        why = f"unknown algorithm name {spec.name[:80]}{near}"
        raise SpecError((invalid(path, spec.name, why),))
    return MedianStop(**read_values(NAME, _RULES, spec.settings, f"{_PATH}.algorithmSettings"))


_RULES = (
    whole(
        "min_trials_required",
        least=1,
        why="min_trials_required must be greater than zero (>0)",
    ),
    whole("start_step", least=1, why="start_step must be greater or equal than one (>=1)"),
)
