"""The trials of an experiment in columns: a tenth of the text that one object per trial takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.errors import UserError
from api.timestamps import to_micros
from api.types import Trial
from ui.model.causes import failure_of
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState
from ui.model.numbers import number_or_text, six

STATES = tuple(state.value for state in TrialState)
"""The column `state` has positions in this list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialColumns:
    """Trials in the order of suggestion; item n of each column belongs to trial n."""

    states: tuple[str, ...]
    """All states; the column `state` has positions in this list."""
    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    """The objective first."""
    name: tuple[str, ...]
    number: tuple[int, ...]
    """From 1, in the order of suggestion."""
    state: tuple[int, ...]
    values: tuple[tuple[float | str | None, ...], ...]
    """A column for each parameter."""
    results: tuple[tuple[float | None, ...], ...]
    """A column for each metric: what stands for the trial, or the newest value while it runs."""
    start: tuple[float | None, ...]
    """Seconds since 1970."""
    seconds: tuple[float | None, ...]
    """How long the trial has run, in seconds."""
    note: tuple[str, ...]
    """Why the trial failed, or what it waits for."""


def trial_columns(
    summary: ExperimentSummary, trials: Sequence[Trial], only: frozenset[str] | None = None
) -> TrialColumns:
    """Return the trials in columns; `only` selects some by name, None all."""
    begun = {trial.metadata.name: _start(trial) for trial in trials}
    numbered = [
        (number, row)
        for number, row in enumerate(summary.rows, start=1)
        if only is None or row.name in only
    ]
    rows = [row for _, row in numbered]
    parameters = tuple(spec.name for spec in summary.parameters)
    assigned = [{one.name: number_or_text(one.value) for one in row.assignments} for row in rows]
    metrics = summary.objective.metrics
    return TrialColumns(
        states=STATES,
        parameters=parameters,
        metrics=metrics,
        name=tuple(row.name for row in rows),
        number=tuple(number for number, _ in numbered),
        state=tuple(STATES.index(row.state.value) for row in rows),
        values=tuple(tuple(_column(assigned, name)) for name in parameters),
        results=tuple(tuple(_result(row, name) for row in rows) for name in metrics),
        start=tuple(begun.get(row.name) for row in rows),
        seconds=tuple(None if row.seconds is None else round(row.seconds, 3) for row in rows),
        note=tuple(row.note or failure_of(row) for row in rows),
    )


def changed_since(before: ExperimentSummary | None, now: ExperimentSummary) -> frozenset[str]:
    """Return the names of the trials whose rows differ, without regard to the passing of time."""
    if before is None:
        return frozenset(row.name for row in now.rows)
    known = {row.name: _timeless(row) for row in before.rows}
    return frozenset(row.name for row in now.rows if known.get(row.name) != _timeless(row))


def _timeless(row: TrialRow) -> tuple[object, ...]:
    ended = row.seconds if row.since is None else None
    return row.state, row.metrics, row.note, row.cause, row.since, ended


def _column(
    assigned: Iterable[Mapping[str, float | str]], name: str
) -> Iterable[float | str | None]:
    return (values.get(name) for values in assigned)


def _result(row: TrialRow, metric: str) -> float | None:
    value = number_or_text(row.metrics.get(metric, ""))
    return six(value) if isinstance(value, float) else None


def _start(trial: Trial) -> float | None:
    stamp = trial.status.start_time
    try:
        return to_micros(stamp) / 1e6 if stamp else None
    except UserError:
        return None
