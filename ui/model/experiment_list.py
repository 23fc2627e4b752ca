"""The table of all experiments: one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from api.types import ConditionType
from ui.model.best import best_so_far
from ui.model.experiment_summary import ExperimentSummary, TrialState
from ui.model.numbers import six

_SPARK = 40
"""The most points of a sparkline."""


class ExperimentState(StrEnum):
    """The state of an experiment, as shown to users."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many trials an experiment has, by state."""

    total: int
    """All trials that exist."""
    budget: int | None
    """`maxTrialCount`; None means no limit."""
    succeeded: int
    stopped: int
    """Stopped early."""
    failed: int
    """Failed, killed, or without metrics."""
    running: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRow:
    """One experiment in the table."""

    namespace: str
    name: str
    state: ExperimentState
    goal_type: str
    """minimize or maximize."""
    metric: str
    algorithm: str
    progress: Progress
    best: float | None
    """The best value of the objective; None if no trial has one."""
    best_trial: str
    spark: tuple[float, ...]
    """The best value so far, at up to 40 moments of the search."""
    compute_seconds: float
    """The running times of all trials together."""
    created: str
    """RFC 3339; "" if unknown."""
    reason: str
    """Why the experiment ended; "" if it has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentList:
    """All experiments, the newest first."""

    where: str
    """Where they are read, such as `in .trialwatch`."""
    makes: str
    """How to create one there."""
    experiments: tuple[ExperimentRow, ...]


def experiment_list(
    summaries: Sequence[tuple[str, str, ExperimentSummary]], where: str, makes: str
) -> ExperimentList:
    """Return the table; each summary comes with its namespace and the time of its creation."""
    rows = [experiment_row(namespace, created, one) for namespace, created, one in summaries]
    rows.sort(key=lambda row: (row.created, row.namespace, row.name), reverse=True)
    return ExperimentList(where=where, makes=makes, experiments=tuple(rows))


def experiment_row(namespace: str, created: str, summary: ExperimentSummary) -> ExperimentRow:
    """Return the row of one experiment."""
    best = summary.best
    return ExperimentRow(
        namespace=namespace,
        name=summary.name,
        state=state_of(summary),
        goal_type=summary.objective.type.value,
        metric=summary.objective.metric,
        algorithm=summary.algorithm,
        progress=progress_of(summary),
        best=six(best.value) if best else None,
        best_trial=best.name if best else "",
        spark=_spark(summary),
        compute_seconds=round(sum(row.seconds or 0.0 for row in summary.rows), 1),
        created=created,
        reason=summary.reason,
    )


def state_of(summary: ExperimentSummary) -> ExperimentState:
    """Return the state of an experiment."""
    if summary.outcome is ConditionType.FAILED:
        return ExperimentState.FAILED
    if summary.outcome is ConditionType.SUCCEEDED:
        return ExperimentState.SUCCEEDED
    return ExperimentState.INTERRUPTED if summary.run.interrupted else ExperimentState.RUNNING


def progress_of(summary: ExperimentSummary) -> Progress:
    """Count the trials by state."""
    failed = (TrialState.FAILED, TrialState.KILLED, TrialState.WITHOUT_METRICS)
    waiting = (TrialState.WAITING, TrialState.INTERRUPTED)
    return Progress(
        total=len(summary.rows),
        budget=summary.most,
        succeeded=summary.count(TrialState.SUCCEEDED),
        stopped=summary.count(TrialState.STOPPED),
        failed=sum(summary.count(state) for state in failed),
        running=summary.count(TrialState.RUNNING),
        waiting=sum(summary.count(state) for state in waiting),
    )


def _spark(summary: ExperimentSummary) -> tuple[float, ...]:
    values = [value for value in best_so_far(summary.rows, summary.objective) if value is not None]
    if len(values) > _SPARK:
        step = (len(values) - 1) / (_SPARK - 1)
        values = [values[round(index * step)] for index in range(_SPARK)]
    return tuple(float(f"{value:.6g}") for value in values)
