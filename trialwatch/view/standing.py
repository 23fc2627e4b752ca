"""How an experiment stands at one moment, as people are shown it: a row for each trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from api.errors import UserError
from api.metric_values import finite, value_of
from api.names import UNAVAILABLE
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
"""By trial, by metric: the value that was stored last, as it was written."""


class State(StrEnum):
    """What has become of a trial, in a person's words."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped early"
    FAILED = "failed"
    KILLED = "killed"
    WITHOUT_METRICS = "no metrics"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of the trial."""
        return self not in (State.WAITING, State.RUNNING)


# The first condition of these that is True says it; Running stays True beside EarlyStopped.
_STATES = (
    (ConditionType.KILLED, State.KILLED),
    (ConditionType.FAILED, State.FAILED),
    (ConditionType.METRICS_UNAVAILABLE, State.WITHOUT_METRICS),
    (ConditionType.EARLY_STOPPED, State.STOPPED),
    (ConditionType.SUCCEEDED, State.SUCCEEDED),
    (ConditionType.RUNNING, State.RUNNING),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trial."""

    name: str
    state: State
    assignments: tuple[Assignment, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    """By name: what stands for the trial where its observation counts, else the newest value."""
    value: float | None = None
    """The objective, where it is a finite number."""
    seconds: float | None = None
    """How long it ran, or runs."""
    cause: str = ""
    """Why it ended as it did, in one line; "" where there is nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An experiment with its rows, in the order in which the trials were asked for."""

    name: str
    objective: Objective
    parameters: tuple[ParameterSpec, ...]
    algorithm: str = ""
    rows: tuple[Row, ...] = ()
    best: Row | None = None
    """The best trial so far, as the experiment's status has it."""
    most: int | None = None
    """`maxTrialCount`; None: without a limit."""
    outcome: ConditionType | None = None
    """Succeeded or Failed, where it has ended."""
    reason: str = ""
    """What the condition of the outcome says."""
    seconds: float | None = None

    @property
    def ended(self) -> int:
        """How many trials have ended."""
        return sum(row.state.ended for row in self.rows)

    def count(self, state: State) -> int:
        """Return how many trials are in a state."""
        return sum(row.state is state for row in self.rows)


def standing_of(
    experiment: Experiment, trials: Sequence[Trial], latest: Latest, now: datetime
) -> Standing:
    """Gather what is shown; `trials` come in the order in which they were asked for.

    `latest` may leave out trials and metrics; those that have ended it need not have at all.
    """
    spec, status = experiment.spec, experiment.status
    objective = spec.objective or Objective()
    rows = tuple(_row(trial, objective, latest, now) for trial in trials)
    best = status.optimal_trial.name if status.optimal_trial else ""
    outcome = _true(status.conditions, (ConditionType.FAILED, ConditionType.SUCCEEDED))
    return Standing(
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
    )


def _row(trial: Trial, objective: Objective, latest: Latest, now: datetime) -> Row:
    status = trial.status
    ended_by = _true(status.conditions, [kind for kind, _ in _STATES])
    state = dict(_STATES)[ConditionType(ended_by.type)] if ended_by else State.WAITING
    seen = {m.name: m for m in status.observation.metrics} if status.observation else {}
    texts = {name: shown(trial, metric, objective) for name, metric in seen.items()}
    newest = latest.get(trial.metadata.name, {})
    metrics = {
        name: text
        for name in objective.metrics
        if (text := texts.get(name) or newest.get(name, ""))
    }
    return Row(
        name=trial.metadata.name,
        state=state,
        assignments=trial.spec.assignments,
        metrics=metrics,
        value=finite(metrics.get(objective.metric, "")),
        seconds=_seconds(status.start_time, status.completion_time, now),
        cause=_one_line(ended_by.message) if ended_by and state.ended else "",
    )


def shown(trial: Trial, metric: ObservedMetric, objective: Objective) -> str:
    """Return the text to show of a metric; "" where nothing was measured.

    It is the value that stands for the trial once that counts, before that the newest one.
    """
    text = value_of(metric, objective) if is_measured(trial) else metric.latest
    return "" if text == UNAVAILABLE else text


def measurements(trial: Trial) -> tuple[str, ...]:
    """Write all that was observed of a trial, each as `NAME=VALUE`."""
    objective = trial.spec.objective or Objective()
    seen = trial.status.observation.metrics if trial.status.observation else ()
    return tuple(f"{one.name}={shown(trial, one, objective) or UNAVAILABLE}" for one in seen)


def _true(conditions: Sequence[Condition], kinds: Sequence[ConditionType]) -> Condition | None:
    """Return the condition of the first of these types that is True."""
    met = {c.type: c for c in conditions if c.status is ConditionStatus.TRUE}
    return next((met[kind] for kind in kinds if kind in met), None)


def _seconds(start: str | None, end: str | None, now: datetime) -> float | None:
    if not start:
        return None
    try:
        last = to_micros(end) / 1e6 if end else now.timestamp()
        return max(last - to_micros(start) / 1e6, 0.0)
    except UserError:
        return None


def _one_line(text: str) -> str:
    return " ".join(text.split())
