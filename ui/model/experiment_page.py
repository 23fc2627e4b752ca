"""The head of an experiment's page: its goal, its best trial, its progress, and causes."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import Distribution, Experiment, ParameterSpec, ParameterType
from ui.model.causes import causes_in
from ui.model.experiment_list import ExperimentRow, experiment_row
from ui.model.experiment_summary import ExperimentSummary
from ui.model.numbers import six

_MOST_TRIALS = 50
"""The most trials that a cause lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A parameter of the search, as an axis."""

    name: str
    is_number: bool
    is_log: bool
    """Whether the search looks at its logarithm."""
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    """In the order of the experiment; empty for a number without a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseOfFailure:
    """Why trials have failed."""

    text: str
    count: int
    trials: tuple[str, ...]
    """Up to 50 names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPage:
    """The head of the page of one experiment."""

    row: ExperimentRow
    goal: float | None
    metrics: tuple[str, ...]
    """The objective first."""
    axes: tuple[Axis, ...]
    best_assignments: dict[str, str]
    seconds: float | None
    """How long the experiment has run; None if it has not started."""
    seconds_left: float | None
    """An estimate by the pace of the trials so far; None if unknown."""
    notice: str
    """What a user should know now, such as how to continue; "" if nothing."""
    causes: tuple[CauseOfFailure, ...]


def experiment_page(
    experiment: Experiment, summary: ExperimentSummary, created: str
) -> ExperimentPage:
    """Return the head of the page."""
    best = summary.best
    return ExperimentPage(
        row=experiment_row(experiment.metadata.namespace, created, summary),
        goal=six(summary.objective.goal),
        metrics=summary.objective.metrics,
        axes=tuple(axis_of(one) for one in summary.parameters),
        best_assignments={one.name: one.value for one in best.assignments} if best else {},
        seconds=summary.seconds,
        seconds_left=_seconds_left(summary),
        notice=summary.run.notice,
        causes=tuple(
            CauseOfFailure(
                text=cause.text,
                count=len(cause.trials),
                trials=tuple(row.name for row in cause.trials[:_MOST_TRIALS]),
            )
            for cause in causes_in(summary.rows)
        ),
    )


def axis_of(spec: ParameterSpec) -> Axis:
    """Return the axis of a parameter."""
    is_number = spec.type in (ParameterType.DOUBLE, ParameterType.INT)
    space = spec.space
    logs = (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL)
    return Axis(
        name=spec.name,
        is_number=is_number,
        is_log=is_number and space.distribution in logs,
        low=_bound(space.min),
        high=_bound(space.max),
        choices=space.list,
    )


def _bound(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _seconds_left(summary: ExperimentSummary) -> float | None:
    """Return how long the rest takes at the pace so far; the goal may end it earlier."""
    if summary.since is None or not summary.seconds or summary.most is None or not summary.ended:
        return None
    return max(summary.most - summary.ended, 0) * summary.seconds / summary.ended
