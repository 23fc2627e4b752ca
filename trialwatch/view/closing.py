"""The final lines of a run: the result, the optimal trial, failures, the path of the report."""

from __future__ import annotations

from collections.abc import Iterator

from api.faults import visible
from api.metric_values import strategy_of
from api.types import ConditionType, Objective
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
        yield from _optimum(summary.best, summary.objective)
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


def _optimum(best: TrialRow, objective: Objective) -> Iterator[str]:
    """Yield metrics and parameters; a label says which value of an additional metric it is."""
    yield f"optimal trial: {visible(best.name)}"
    pairs = [(name, _labelled(name, text, objective)) for name, text in best.metrics.items()]
    pairs += [(one.name, visible(one.value)) for one in best.assignments]
    width = max((len(visible(name)) for name, _ in pairs), default=0)
    for name, text in pairs:
        yield f"  {visible(name).ljust(width)}  {text}"


def _labelled(name: str, text: str, objective: Objective) -> str:
    label = "" if name == objective.metric else f"  ({strategy_of(name, objective).value})"
    return f"{visible(text)}{label}"
