"""The final lines of a run: the result, the optimal trial, failures, the path of the report."""

from __future__ import annotations

from collections.abc import Iterator

from api.faults import visible
from api.types import ConditionType
from trialwatch.view.experiment_summary import ExperimentSummary, TrialRow, TrialState
from trialwatch.view.formatting import counted, cut, duration

_BAD = (TrialState.FAILED, TrialState.KILLED, TrialState.WITHOUT_METRICS)
_FEW = 3
"""The most causes to list; the same cause in several trials is listed once."""
_LONG = 300


def closing(summary: ExperimentSummary, report: str = "", again: str = "") -> Iterator[str]:
    """Yield the lines.

    `report` is the path of the report, "" if there is no report. `again` is the line that continues
    the experiment.
    """
    yield ""
    yield _outcome(summary, again or "run the same command again")
    yield f"{_counts(summary)}{_time(summary)}"
    yield from _causes(summary)
    if summary.best is None:
        yield f"no optimal trial: {visible(summary.objective.metric)} has no value"
    else:
        yield from _optimum(summary.best)
    if report:
        yield f"report: {report}"


def _outcome(summary: ExperimentSummary, again: str) -> str:
    name = visible(summary.name)
    if summary.outcome is None:
        return f"experiment {name} was interrupted; to continue: {again}"
    if summary.reason:
        return f"{name}: {visible(summary.reason)}"
    word = "succeeded" if summary.outcome is ConditionType.SUCCEEDED else "failed"
    return f"experiment {name} has {word}"


def _counts(summary: ExperimentSummary) -> str:
    counts = [(state, summary.count(state)) for state in TrialState]
    parts = ", ".join(f"{count:,} {state.value}" for state, count in counts if count)
    return f"{counted(len(summary.rows), 'trial')}{f': {parts}' if parts else ''}"


def _time(summary: ExperimentSummary) -> str:
    return f", in {duration(summary.seconds)}" if summary.seconds is not None else ""


def _causes(summary: ExperimentSummary) -> Iterator[str]:
    """Yield each cause once, with the first trial that has it."""
    first: dict[str, TrialRow] = {}
    for row in summary.rows:
        if row.state in _BAD and row.cause:
            first.setdefault(row.cause, row)
    for cause, row in list(first.items())[:_FEW]:
        yield f"  {visible(row.name)}: {cut(cause, _LONG)}"
    if len(first) > _FEW:
        yield f"  … and {counted(len(first) - _FEW, 'other cause')}: trialwatch get trials"


def _optimum(best: TrialRow) -> Iterator[str]:
    yield f"optimal trial: {visible(best.name)}"
    pairs = [*best.metrics.items(), *((a.name, a.value) for a in best.assignments)]
    width = max((len(visible(name)) for name, _ in pairs), default=0)
    for name, value in pairs:
        yield f"  {visible(name).ljust(width)}  {visible(value)}"
