"""The trials of an experiment as a table that fits: which columns, and which rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from api.faults import visible
from api.metric_values import strategy_of
from api.types import Objective
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState
from ui.model.formatting import choice, cut, duration, number

_STYLES = {
    TrialState.WAITING: "dim",
    TrialState.RUNNING: "cyan",
    TrialState.SUCCEEDED: "green",
    TrialState.STOPPED: "magenta",
    TrialState.FAILED: "red",
    TrialState.KILLED: "red",
    TrialState.WITHOUT_METRICS: "yellow",
    TrialState.INTERRUPTED: "yellow",
}
_LEAST_CHOICE = 24
"""The least characters of the column of all parameters."""
_SHORT_TITLE = 10
"""The most characters of the objective's name in a narrow table."""


def one_line(text: str, *, style: str = "") -> Text:
    """Return a text that is cut off at the end of its line."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


# -- columns --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    title: str
    cell: Callable[[TrialRow], str]
    right: bool = False
    least: int | None = None
    """The least characters of the column; None means that it never shrinks."""
    label: str = ""
    """What the values are; shown below the title."""


def trial_table(
    summary: ExperimentSummary, budget: int, console: Console, options: ConsoleOptions
) -> RenderableType:
    """Return the trials on at most `budget` lines, in the first layout that fits.

    The last layout is cut off to fit.
    """
    lines = tuple(_shown(summary, budget))
    layouts = (
        _everything(summary),
        _folded(summary),
        _folded(summary, least=_LEAST_CHOICE, title=_SHORT_TITLE),
        _without_parameters(summary),
        _barest(summary),
    )
    unbound = options.update_width(10_000)
    for layout in layouts:
        table = _filled(layout, summary, lines)
        needed = Measurement.get(console, unbound, table).maximum - _slack(layout, lines)
        if needed <= options.max_width:
            return table
    return _filled(layouts[-1], summary, lines)


def _filled(
    columns: Sequence[_Column], summary: ExperimentSummary, lines: Sequence[TrialRow | int]
) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(
            _head(column),
            justify="right" if column.right else "left",
            no_wrap=column.least is None,  # rich shrinks columns that may wrap first
            overflow="ellipsis",
        )
    for line in lines:
        if isinstance(line, int):
            table.add_row(one_line(f"  … {line:,} more", style="dim"))
        else:
            table.add_row(*_cells(columns, line, best=_is_best(line, summary)))
    return table


def _is_best(row: TrialRow, summary: ExperimentSummary) -> bool:
    return summary.best is not None and row.name == summary.best.name


def _head(column: _Column) -> Text:
    """Return the title, and below it the label, in two lines for each column."""
    return one_line(column.title).append(f"\n{column.label or ' '}", style="dim")


def _cells(columns: Sequence[_Column], row: TrialRow, *, best: bool) -> Iterator[Text]:
    for column in columns:
        text = column.cell(row)
        if column.title == "trial":
            text = f"{'*' if best else ' '} {text}"
        yield one_line(text, style=_style(column, row, best=best))


def _style(column: _Column, row: TrialRow, *, best: bool) -> str:
    if column is _STATE:
        return _STYLES[row.state]
    newest = column.label and row.state is TrialState.RUNNING  # a value that does not count yet
    return "dim" if newest else "bold" if best else ""


def _slack(columns: Sequence[_Column], lines: Sequence[TrialRow | int]) -> int:
    """Return by how many characters the table can shrink."""
    rows = [line for line in lines if isinstance(line, TrialRow)]
    slack = 0
    for column in columns:
        if column.least is not None:
            texts = (column.title, *(column.cell(row) for row in rows))
            slack += max(max(map(cell_len, texts)) - column.least, 0)
    return slack


_NAME = _Column(title="trial", cell=lambda row: visible(row.name))
_STATE = _Column(title="state", cell=lambda row: visible(row.note) or row.state.value)
_TIME = _Column(title="time", cell=lambda row: duration(row.seconds), right=True)


def _everything(summary: ExperimentSummary) -> tuple[_Column, ...]:
    """One column for each parameter and each metric."""
    parameters = [_parameter(spec.name) for spec in summary.parameters]
    metrics = [_metric(name, summary.objective) for name in summary.objective.metrics]
    return (_NAME, *parameters, *metrics, _STATE, _TIME)


def _folded(
    summary: ExperimentSummary, *, least: int | None = None, title: int | None = None
) -> tuple[_Column, ...]:
    """All parameters in one column, and the objective."""
    parameters = _Column(
        title="parameters", cell=lambda row: choice(row.assignments, short=True), least=least
    )
    objective = summary.objective
    return (_NAME, parameters, _metric(objective.metric, objective, title), _STATE, _TIME)


def _without_parameters(summary: ExperimentSummary) -> tuple[_Column, ...]:
    return (*_barest(summary), _TIME)


def _barest(summary: ExperimentSummary) -> tuple[_Column, ...]:
    """Only name, objective and state."""
    objective = summary.objective
    return (_NAME, _metric(objective.metric, objective, _SHORT_TITLE), _STATE)


def _parameter(name: str) -> _Column:
    def cell(row: TrialRow) -> str:
        return number(next((a.value for a in row.assignments if a.name == name), ""))

    return _Column(title=cut(name), cell=cell, right=True)


def _metric(name: str, objective: Objective, title: int | None = None) -> _Column:
    def cell(row: TrialRow) -> str:
        return number(row.metrics.get(name, ""))

    return _Column(
        title=cut(name, title) if title else cut(name),
        cell=cell,
        right=True,
        label=strategy_of(name, objective).value,
    )


# -- which rows -----------------------------------------------------------------------------


def _shown(summary: ExperimentSummary, budget: int) -> Iterator[TrialRow | int]:
    """Yield rows in order, and between them how many are hidden, on `budget` lines.

    The best trial has priority, then running trials, then the newest.
    """
    chosen = _chosen(summary, budget)
    hidden = 0
    for index, row in enumerate(summary.rows):
        if index not in chosen:
            hidden += 1
            continue
        if hidden:
            yield hidden
            hidden = 0
        yield row
    if hidden:
        yield hidden


def _chosen(summary: ExperimentSummary, budget: int) -> set[int]:
    rows = summary.rows
    newest = range(len(rows) - 1, -1, -1)
    running = [index for index in newest if rows[index].state is TrialState.RUNNING]
    best = [index for index in newest if _is_best(rows[index], summary)]
    chosen: set[int] = set()
    for index in list(dict.fromkeys([*best, *running, *newest]))[:budget]:
        wider = chosen | {index}
        if len(wider) + _gaps(wider, len(rows)) <= budget:
            chosen = wider
    return chosen


def _gaps(chosen: set[int], count: int) -> int:
    """Return how many gaps of hidden rows there are."""
    edges = [-1, *sorted(chosen), count]
    return sum(after - before > 1 for before, after in pairwise(edges))
