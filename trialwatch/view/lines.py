"""The output without a terminal: one line for each event."""

from __future__ import annotations

from collections.abc import Iterator

from api.faults import visible
from ui.model.causes import cause_of
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState
from ui.model.formatting import choice, counted, duration, rounded


def opening(summary: ExperimentSummary) -> Iterator[str]:
    """Yield the search; if a run continues, also its state until now."""
    objective = summary.objective
    most = summary.most
    limit = "no limit of trials" if most is None else f"{counted(most, 'trial')} at most"
    yield (
        f"experiment {visible(summary.name)}: {objective.type.value} {visible(objective.metric)}"
        f" by {visible(summary.algorithm)}, {limit}"
    )
    if summary.run.note:
        yield visible(summary.run.note)
    if summary.rows:
        yield f"continuing with {counted(len(summary.rows), 'trial')}, of which {_ended(summary)}"
        if summary.best is not None:
            yield _best(summary.best, summary)


def _ended(summary: ExperimentSummary) -> str:
    return f"{summary.ended:,} {'has' if summary.ended == 1 else 'have'} ended"


def changes(before: ExperimentSummary, after: ExperimentSummary) -> Iterator[str]:
    """Yield what has changed: trials that started or ended, a new best trial."""
    known = {row.name: row.state for row in before.rows}
    notes = {row.name: row.note for row in before.rows}
    for row in after.rows:
        was = known.get(row.name, TrialState.WAITING)
        if was is TrialState.WAITING and row.state is not TrialState.WAITING:
            yield f"{visible(row.name)} started: {choice(row.assignments, short=True)}"
        if row.state is TrialState.WAITING and row.note and row.note != notes.get(row.name):
            yield f"{visible(row.name)} is {visible(row.note)}"
        if row.state.ended and not was.ended:
            yield f"{visible(row.name)} {_end(row)}"
    if after.best is not None and _differs(before.best, after.best):
        yield _best(after.best, after)
    if after.run.notice and after.run.notice != before.run.notice:
        yield visible(after.run.notice)


def _differs(before: TrialRow | None, after: TrialRow) -> bool:
    return before is None or before.name != after.name


def _end(row: TrialRow) -> str:
    what = "ended without metrics" if row.state is TrialState.WITHOUT_METRICS else row.state.value
    ran = f" after {duration(row.seconds)}" if row.seconds is not None else ""
    values = " ".join(f"{visible(name)}={rounded(text)}" for name, text in row.metrics.items())
    if row.state is TrialState.STOPPED:
        return f"{what}{ran}{f' at {values}' if values else ''}"
    details = values if row.state is TrialState.SUCCEEDED else cause_of(row)
    return f"{what}{ran}{f': {details}' if details else ''}"


def _best(best: TrialRow, summary: ExperimentSummary) -> str:
    metric = summary.objective.metric
    value = best.metrics.get(metric, "")
    return f"best so far: {visible(metric)}={rounded(value)} by {visible(best.name)}"
