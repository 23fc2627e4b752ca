"""`threshold`: stops a trial whose metric leaves its bounds, or is not a number any more.

`lower` and `upper` bound the newest value of `metric`, by default the objective. A value that is
not a finite number is outside. So a training that diverged is stopped, and one that is hopeless
after `start_step`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.algorithm_settings import Values, number, text_setting
from api.errors import Fault
from api.faults import invalid, required
from api.types import ExperimentSpec
from stopping.curves import Resource
from stopping.rule import (
    RESOURCE,
    SETTINGS,
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
class Threshold:
    """The settings."""

    lower: float = float("-inf")
    upper: float = float("inf")
    metric: str = ""
    """"": the objective."""
    start_step: int = 1
    resource: Resource = Resource.STEP

    def judge(self, goal: Goal, trials: Sequence[TrialHistory]) -> tuple[Verdict, ...]:
        """Stop the running trials whose newest value is outside the bounds."""
        metric = self.metric or goal.metric
        running = [one for one in trials if one.state is TrialState.RUNNING]
        found = (self._verdict(metric, one) for one in running)
        return tuple(one for one in found if one is not None)

    def _verdict(self, metric: str, trial: TrialHistory) -> Verdict | None:
        last = trial.curve(metric).last
        if last is None or last.used(self.resource) < self.start_step:
            return None
        if last.value is not None and self.lower <= last.value <= self.upper:
            return None
        what = (
            "not a finite number"
            if last.value is None
            else f"{last.value}, {self._side(last.value)}"
        )
        at = amount_text(last.used(self.resource), self.resource)
        return Verdict(trial=trial.name, why=f"threshold: {metric} is {what} at {at}")

    def _side(self, value: float) -> str:
        if value < self.lower:
            return f"less than the lower bound {self.lower:g}"
        return f"more than the upper bound {self.upper:g}"


def _faults(spec: ExperimentSpec, values: Values) -> Iterator[Fault]:
    lower, upper = values.get("lower"), values.get("upper")
    if lower is None and upper is None:
        yield required(SETTINGS, "lower or upper must be specified for threshold")
    elif lower is not None and upper is not None and lower > upper:
        yield invalid(f"{SETTINGS}.lower", lower, f"must not be more than upper, {upper:g}")
    metric = values.get("metric")
    metrics = spec.objective.metrics if spec.objective else ()
    if metric is not None and metric not in metrics:
        why = f"is not a metric of the objective; write one of: {', '.join(metrics[:10])}"
        yield invalid(f"{SETTINGS}.metric", metric, why)


def _follows(values: Values) -> tuple[str, ...]:
    return (values["metric"],) if values.get("metric") else ()


ALGORITHM = StoppingAlgorithm(
    make=Threshold,
    settings=(
        number("lower", least=-_LARGEST, most=_LARGEST, why="lower must be a finite number"),
        number("upper", least=-_LARGEST, most=_LARGEST, why="upper must be a finite number"),
        text_setting("metric", "the name of a metric of the objective"),
        START_STEP,
        RESOURCE,
    ),
    validate=_faults,
    follows=_follows,
)
