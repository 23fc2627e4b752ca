"""The last words: how the experiment ended, the optimal trial, what went wrong, where to look."""

from __future__ import annotations

from collections.abc import Iterator

from api.faults import visible
from api.types import ConditionType
from trialwatch.view.standing import Row, Standing, State
from trialwatch.view.words import counted, cut, duration

_BAD = (State.FAILED, State.KILLED, State.WITHOUT_METRICS)
_FEW = 3
"""Causes that are repeated; a fault that all trials share need not be read twelve times."""
_LONG = 300


def closing(standing: Standing, report: str = "") -> Iterator[str]:
    """Yield the lines; `report` is the place of the report, "" where none was written."""
    yield ""
    yield _outcome(standing)
    yield f"{_counts(standing)}{_time(standing)}"
    yield from _causes(standing)
    if standing.best is None:
        yield f"no optimal trial: no value of {visible(standing.objective.metric)} was ever seen"
    else:
        yield from _optimum(standing.best)
    if report:
        yield f"report: {report}"


def _outcome(standing: Standing) -> str:
    name = visible(standing.name)
    if standing.outcome is None:
        return f"experiment {name} is not at its end: the same command goes on with it"
    if standing.reason:
        return f"{name}: {visible(standing.reason)}"
    word = "succeeded" if standing.outcome is ConditionType.SUCCEEDED else "failed"
    return f"experiment {name} has {word}"


def _counts(standing: Standing) -> str:
    counts = [(state, standing.count(state)) for state in State]
    told = ", ".join(f"{count:,} {state.value}" for state, count in counts if count)
    return f"{counted(len(standing.rows), 'trial')}{f': {told}' if told else ''}"


def _time(standing: Standing) -> str:
    return f", in {duration(standing.seconds)}" if standing.seconds is not None else ""


def _causes(standing: Standing) -> Iterator[str]:
    """Give each cause once, with the first trial that it ended."""
    first: dict[str, Row] = {}
    for row in standing.rows:
        if row.state in _BAD and row.cause:
            first.setdefault(row.cause, row)
    for cause, row in list(first.items())[:_FEW]:
        yield f"  {visible(row.name)}: {cut(cause, _LONG)}"
    if len(first) > _FEW:
        yield f"  … and {counted(len(first) - _FEW, 'other cause')}: trialwatch get trials"


def _optimum(best: Row) -> Iterator[str]:
    yield f"optimal trial: {visible(best.name)}"
    pairs = [*best.metrics.items(), *((a.name, a.value) for a in best.assignments)]
    width = max((len(visible(name)) for name, _ in pairs), default=0)
    for name, value in pairs:
        yield f"  {visible(name).ljust(width)}  {visible(value)}"
