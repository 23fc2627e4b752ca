"""The page of one trial: its parameters beside those of the best trial, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass

from api.types import CollectorSpec, Condition, ConditionStatus, LogFormat, Trial
from ui.model.causes import failure_of, without_success
from ui.model.experiment_summary import ExperimentSummary, TrialRow
from ui.model.numbers import six


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedValue:
    """A parameter with its value in this trial and in the best one."""

    name: str
    value: str
    best: str
    """In the best trial; "" if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialMetric:
    """A metric of the trial."""

    name: str
    value: str
    """What stands for the trial, or the newest value while it runs; as the trainer wrote it."""
    best: str
    """In the best trial; "" if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEvent:
    """A condition of the trial that has held."""

    type: str
    reason: str
    message: str
    time: str
    """RFC 3339; "" if unknown."""
    is_true: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPage:
    """One trial."""

    name: str
    number: int
    """From 1, in the order of suggestion."""
    state: str
    has_ended: bool
    is_best: bool
    cause: str
    """Why it failed, in one line; "" if it did not."""
    note: str
    """What it waits for; "" if nothing."""
    start: str
    """RFC 3339; "" if it has not started."""
    seconds: float | None
    value: float | None
    """Of the objective."""
    objective: str
    goal_type: str
    best_trial: str
    best_value: float | None
    assignments: tuple[AssignedValue, ...]
    metrics: tuple[TrialMetric, ...]
    events: tuple[TrialEvent, ...]
    collector: str
    """How metrics are collected, such as StdOut."""
    log_format: str
    """TEXT or JSON."""
    patterns: tuple[str, ...]
    """Each a `metricsFormat`; none: metrics are found by their names."""
    previous: str
    """The trial suggested before; "" if it is the first."""
    next: str


def trial_page(trial: Trial, row: TrialRow, summary: ExperimentSummary) -> TrialPage:
    """Return the page."""
    best = summary.best
    of_best = {one.name: one.value for one in best.assignments} if best else {}
    names = [one.name for one in summary.rows]
    collector = trial.spec.collector or CollectorSpec()
    place = names.index(row.name)
    return TrialPage(
        name=row.name,
        number=place + 1,
        state=row.state.value,
        has_ended=row.state.ended,
        is_best=best is not None and best.name == row.name,
        cause=failure_of(row),
        note=row.note,
        start=trial.status.start_time or "",
        seconds=row.seconds,
        value=six(row.value),
        objective=summary.objective.metric,
        goal_type=summary.objective.type.value,
        best_trial=best.name if best else "",
        best_value=six(best.value) if best else None,
        assignments=tuple(
            AssignedValue(name=one.name, value=one.value, best=of_best.get(one.name, ""))
            for one in row.assignments
        ),
        metrics=tuple(
            TrialMetric(
                name=name,
                value=row.metrics.get(name, ""),
                best=best.metrics.get(name, "") if best else "",
            )
            for name in summary.objective.metrics
        ),
        events=tuple(_event(one) for one in trial.status.conditions),
        collector=collector.kind.value,
        log_format=(collector.format or LogFormat.TEXT).value,
        patterns=collector.filters,
        previous=names[place - 1] if place else "",
        next=names[place + 1] if place + 1 < len(names) else "",
    )


def _event(condition: Condition) -> TrialEvent:
    return TrialEvent(
        type=condition.type,
        reason=condition.reason,
        message=without_success(condition.message),
        time=condition.last_transition_time or condition.last_update_time or "",
        is_true=condition.status is ConditionStatus.TRUE,
    )
