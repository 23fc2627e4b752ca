"""The final lines of a run: the result, the optimal trial, failures, the path of the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.faults import visible
from api.metric_values import strategy_of
from api.types import ConditionType, Objective
from ui.model.causes import causes_in
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState
from ui.model.formatting import counted, duration, rounded

_FEW = 3
"""The most causes to list; the same cause in several trials is listed once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """The lines that a user may type next."""

    again: str = "run the same command again"
    """It continues the experiment."""
    retry: str = ""
    """It runs failed trials again; "" if there is no such line."""


_UNKNOWN = Commands()


def closing(
    summary: ExperimentSummary, report: str = "", commands: Commands = _UNKNOWN
) -> Iterator[str]:
    """Yield the lines; `report` is the path of the report, "" if there is no report.

    Without an optimal trial, the last line says why.
    """
    yield ""
    yield _outcome(summary, commands.again)
    yield f"{_counts(summary)}{_time(summary)}"
    yield from _causes(summary)
    if summary.best is None:
        yield _without_optimum(summary)
        return
    if commands.retry and _some_failed(summary):
        yield f"  to run the failed trials again: {commands.retry}"
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
    """Yield each cause once; without an optimal trial, the last line has the first cause."""
    causes = causes_in(summary.rows)
    shown = causes if summary.best is not None else causes[1:]
    for cause in shown[:_FEW]:
        yield f"  {cause.shown(len(summary.rows))}"
    if len(shown) > _FEW:
        yield f"  … and {counted(len(shown) - _FEW, 'other cause')}: trialwatch get trials -o wide"


def _without_optimum(summary: ExperimentSummary) -> str:
    metric = visible(summary.objective.metric)
    causes = causes_in(summary.rows)
    if causes:
        return f"no optimal trial: {metric} has no value; {causes[0].shown(len(summary.rows))}"
    if summary.outcome is None:
        return f"no optimal trial: {metric} has no value yet"
    return f"no optimal trial: no trial has a value of {metric}"


def _some_failed(summary: ExperimentSummary) -> bool:
    ended = summary.outcome is not None
    return ended and any(
        summary.count(state) for state in (TrialState.FAILED, TrialState.WITHOUT_METRICS)
    )


def _optimum(best: TrialRow, objective: Objective) -> Iterator[str]:
    """Yield metrics and parameters; a label says which value of an additional metric it is.

    The parameters are exact, because a user runs the program with them again.
    """
    yield f"optimal trial: {visible(best.name)}"
    pairs = [(name, _labelled(name, text, objective)) for name, text in best.metrics.items()]
    pairs += [(one.name, visible(one.value)) for one in best.assignments]
    width = max((len(visible(name)) for name, _ in pairs), default=0)
    for name, text in pairs:
        yield f"  {visible(name).ljust(width)}  {text}"


def _labelled(name: str, text: str, objective: Objective) -> str:
    label = "" if name == objective.metric else f"  ({strategy_of(name, objective).value})"
    return f"{rounded(text)}{label}"
