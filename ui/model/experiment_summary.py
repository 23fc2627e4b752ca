"""The state of an experiment at one moment, for users: one row for each trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from api.errors import UserError
from api.metric_values import finite, value_of
from api.names import GENERATION_LABEL, PARENT_LABEL, UNAVAILABLE
from api.timestamps import to_micros
from api.types import (
    Assignment,
    Condition,
    ConditionStatus,
    ConditionType,
    Experiment,
    Objective,
    ObservedMetric,
    ParameterSpec,
    Trial,
)
from controller.reconcile.trial_states import is_measured

Latest = Mapping[str, Mapping[str, str]]
"""By trial and metric: the newest stored value, as the trainer wrote it."""


class TrialState(StrEnum):
    """The state of a trial, as shown to users."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped early"
    FAILED = "failed"
    KILLED = "killed"
    WITHOUT_METRICS = "no metrics"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether the trial has ended; an interrupted trial starts again."""
        return self not in (TrialState.WAITING, TrialState.RUNNING, TrialState.INTERRUPTED)


# The first of these conditions that is True decides; Running stays True beside EarlyStopped.
_STATES = (
    (ConditionType.KILLED, TrialState.KILLED),
    (ConditionType.FAILED, TrialState.FAILED),
    (ConditionType.METRICS_UNAVAILABLE, TrialState.WITHOUT_METRICS),
    (ConditionType.EARLY_STOPPED, TrialState.STOPPED),
    (ConditionType.SUCCEEDED, TrialState.SUCCEEDED),
    (ConditionType.RUNNING, TrialState.RUNNING),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial."""

    name: str
    state: TrialState
    assignments: tuple[Assignment, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    """By name: the value that stands for the trial, or its newest value while it runs."""
    value: float | None = None
    """The objective's value; None if it is not a finite number."""
    seconds: float | None = None
    """How long the trial has run, in seconds."""
    since: float | None = None
    """While the trial runs: when it started, in seconds since 1970."""
    cause: str = ""
    """Why the trial ended, in one line; "" if unknown."""
    lineage: str = ""
    """Its generation and its parent, if the search has generations."""
    note: str = ""
    """What a running trial waits for or repeats, such as `waiting for a GPU`; "" if nothing."""

    def at(self, now: datetime) -> Self:
        """Return the same trial at another moment."""
        return self if self.since is None else replace(self, seconds=_until(self.since, now))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What is known of a run besides its objects."""

    interrupted: bool = False
    """Whether the run has ended before the experiment; then no trial runs."""
    notice: str = ""
    """What the user should know now; "" if nothing."""
    waiting: Mapping[str, str] = field(default_factory=dict)
    """By trial whose pod cannot start yet: what it waits for, such as `waiting for a GPU`."""
    retries: Mapping[str, int] = field(default_factory=dict)
    """By trial: how many of its starts have failed."""
    note: str = ""
    """How many trials run at the same time, and why; "" if it is the given number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSummary:
    """An experiment and its trials, in the order of suggestion."""

    name: str
    objective: Objective
    parameters: tuple[ParameterSpec, ...]
    algorithm: str = ""
    rows: tuple[TrialRow, ...] = ()
    best: TrialRow | None = None
    """The best trial so far, by the experiment's status."""
    most: int | None = None
    """`maxTrialCount`; None means no limit."""
    outcome: ConditionType | None = None
    """Succeeded or Failed; None if the experiment has not ended."""
    reason: str = ""
    """The message of the outcome's condition."""
    seconds: float | None = None
    since: float | None = None
    """While the experiment runs: when it started, in seconds since 1970."""
    run: RunState = RunState()

    def at(self, now: datetime) -> Self:
        """Return the same state with the running times of another moment."""
        if self.since is None:
            return self
        rows = tuple(row.at(now) for row in self.rows)
        return replace(self, rows=rows, seconds=_until(self.since, now))

    @property
    def ended(self) -> int:
        """How many trials have ended."""
        return sum(row.state.ended for row in self.rows)

    def count(self, state: TrialState) -> int:
        """Return how many trials are in a state."""
        return sum(row.state is state for row in self.rows)


_UNKNOWN = RunState()


def summary_of(
    experiment: Experiment,
    trials: Sequence[Trial],
    latest: Latest,
    now: datetime,
    run: RunState = _UNKNOWN,
) -> ExperimentSummary:
    """Return the summary; `trials` are in the order of suggestion.

    `latest` may omit trials and metrics; it is needed only for running trials.
    """
    spec, status = experiment.spec, experiment.status
    objective = spec.objective or Objective()
    rows = tuple(_row(trial, objective, latest, now, run) for trial in trials)
    best = status.optimal_trial.name if status.optimal_trial else ""
    outcome = _true(status.conditions, (ConditionType.FAILED, ConditionType.SUCCEEDED))
    return ExperimentSummary(
        name=experiment.metadata.name,
        objective=objective,
        parameters=spec.parameters,
        algorithm=spec.algorithm.name if spec.algorithm else "",
        rows=rows,
        best=next((row for row in rows if row.name == best), None),
        most=spec.max_trial_count,
        outcome=ConditionType(outcome.type) if outcome else None,
        reason=_one_line(outcome.message) if outcome else "",
        seconds=_seconds(status.start_time, status.completion_time, now),
        since=_since(status.start_time, status.completion_time, run),
        run=run,
    )


def _row(
    trial: Trial, objective: Objective, latest: Latest, now: datetime, run: RunState
) -> TrialRow:
    status = trial.status
    ended_by = _true(status.conditions, [kind for kind, _ in _STATES])
    state = dict(_STATES)[ConditionType(ended_by.type)] if ended_by else TrialState.WAITING
    seen = {m.name: m for m in status.observation.metrics} if status.observation else {}
    texts = {name: shown(trial, metric, objective) for name, metric in seen.items()}
    newest = {} if is_measured(trial) else latest.get(trial.metadata.name, {})
    metrics = {
        name: text
        for name in objective.metrics
        if (text := newest.get(name) or texts.get(name, ""))
    }
    note = "" if state.ended or run.interrupted else _note(trial.metadata.name, run)
    if not state.ended and run.interrupted:
        state = TrialState.INTERRUPTED
    elif not state.ended and trial.metadata.name in run.waiting:
        state = TrialState.WAITING
    return TrialRow(
        name=trial.metadata.name,
        state=state,
        assignments=trial.spec.assignments,
        metrics=metrics,
        value=finite(metrics.get(objective.metric, "")),
        seconds=_seconds(status.start_time, status.completion_time, now),
        since=_since(status.start_time, status.completion_time, run),
        cause=_one_line(ended_by.message) if ended_by and state.ended else "",
        note=note,
        lineage=lineage(trial.spec.labels),
    )


def lineage(labels: Mapping[str, str]) -> str:
    """Return a trial's generation, and its parent if it has one: `2 of exp-abc`; else ""."""
    generation, parent = labels.get(GENERATION_LABEL, ""), labels.get(PARENT_LABEL, "")
    return f"{generation} of {parent}" if parent else generation


def _note(name: str, run: RunState) -> str:
    if name in run.waiting:
        return run.waiting[name]
    return f"running, retry {run.retries[name]}" if name in run.retries else ""


def shown(trial: Trial, metric: ObservedMetric, objective: Objective) -> str:
    """Return the text to show for a metric; "" if nothing was measured.

    It is the value that stands for the trial if the trial is measured, else the newest value.
    """
    text = value_of(metric, objective) if is_measured(trial) else metric.latest
    return "" if text == UNAVAILABLE else text


def measurements(trial: Trial, written: Callable[[str], str] = str) -> tuple[str, ...]:
    """Return all observed metrics of a trial, each as `NAME=VALUE`; `written` writes the value."""
    objective = trial.spec.objective or Objective()
    seen = trial.status.observation.metrics if trial.status.observation else ()
    pairs = ((one.name, shown(trial, one, objective) or UNAVAILABLE) for one in seen)
    return tuple(f"{name}={written(value)}" for name, value in pairs)


def _true(conditions: Sequence[Condition], kinds: Sequence[ConditionType]) -> Condition | None:
    """Return the condition of the first of these types that is True."""
    met = {c.type: c for c in conditions if c.status is ConditionStatus.TRUE}
    return next((met[kind] for kind in kinds if kind in met), None)


def _seconds(start: str | None, end: str | None, now: datetime) -> float | None:
    begun = _moment(start)
    if begun is None or not end:
        return None if begun is None else _until(begun, now)
    ended = _moment(end)
    return None if ended is None else max(ended - begun, 0.0)


def _since(start: str | None, end: str | None, run: RunState) -> float | None:
    """Return when something began that still goes on, in seconds since 1970."""
    return None if end or run.interrupted else _moment(start)


def _moment(stamp: str | None) -> float | None:
    if not stamp:
        return None
    try:
        return to_micros(stamp) / 1e6
    except UserError:
        return None


def _until(since: float, now: datetime) -> float:
    return max(now.timestamp() - since, 0.0)


def _one_line(text: str) -> str:
    return " ".join(text.split())
