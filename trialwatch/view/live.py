"""The table of trials while an experiment runs; it fits into whatever terminal it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from api.faults import visible
from api.types import Experiment, Trial
from trialwatch.view.standing import Latest, Row, Standing, State, standing_of
from trialwatch.view.words import choice, cut, duration, number

_STYLES = {
    State.WAITING: "dim",
    State.RUNNING: "cyan",
    State.SUCCEEDED: "green",
    State.STOPPED: "magenta",
    State.FAILED: "red",
    State.KILLED: "red",
    State.WITHOUT_METRICS: "yellow",
}
_AROUND = 8
"""Lines beside the rows: title, head, its rule, an empty one, bar, two of the best, the cursor."""
_FEWEST = 3
"""Rows that are shown however low the terminal is."""
_LEAST_CHOICE = 24
"""Characters that all parameters need in one cell to say anything."""
_SHORT_TITLE = 10
"""Characters of the objective's name where there is little room."""


def live_view(
    experiment: Experiment, trials: Sequence[Trial], latest: Latest, now: datetime
) -> RenderableType:
    """Show how an experiment stands: its trials, the best so far, how much is done."""
    return LiveView(standing_of(experiment, trials, latest, now))


@dataclass(frozen=True, slots=True)
class LiveView:
    """A standing that rich can draw: never higher than the terminal, never wider."""

    standing: Standing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it for this terminal."""
        standing = self.standing
        budget = max((options.height or options.max_height) - _AROUND, _FEWEST)
        yield _line(_title(standing), style="bold")
        yield _table(standing, budget, console, options)
        yield Text("")
        yield _progress(standing, options.max_width)
        yield from _best(standing)


def _title(standing: Standing) -> str:
    objective = standing.objective
    goal = "" if objective.goal is None else f", goal {objective.goal:g}"
    return (
        f"{visible(standing.name)}: {objective.type.value} {visible(objective.metric)}{goal}, by"
        f" {visible(standing.algorithm)}"
    )


def _line(text: str, *, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


# -- the table ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    title: str
    cell: Callable[[Row], str]
    right: bool = False
    least: int | None = None
    """To how many characters it may shrink; None: it stays whole."""


def _table(
    standing: Standing, budget: int, console: Console, options: ConsoleOptions
) -> RenderableType:
    """Take the first of the layouts that fits; the last one is cut to fit."""
    lines = tuple(_shown(standing, budget))
    layouts = (
        _everything(standing),
        _folded(standing),
        _folded(standing, least=_LEAST_CHOICE, title=_SHORT_TITLE),
        _barest(standing),
    )
    unbound = options.update_width(10_000)
    for layout in layouts:
        table = _filled(layout, standing, lines)
        needed = Measurement.get(console, unbound, table).maximum - _slack(layout, lines)
        if needed <= options.max_width:
            return table
    return _filled(layouts[-1], standing, lines)


def _filled(columns: Sequence[_Column], standing: Standing, lines: Sequence[Row | int]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(
            _line(column.title),
            justify="right" if column.right else "left",
            no_wrap=column.least is None,  # rich shrinks those first that may be wrapped
            overflow="ellipsis",
        )
    for line in lines:
        if isinstance(line, int):
            table.add_row(_line(f"  … {line:,} more", style="dim"))
        else:
            table.add_row(*_cells(columns, line, best=line == standing.best))
    return table


def _cells(columns: Sequence[_Column], row: Row, *, best: bool) -> Iterator[Text]:
    for column in columns:
        text = column.cell(row)
        if column.title == "trial":
            text = f"{'*' if best else ' '} {text}"
        style = _STYLES[row.state] if column.title == "state" else "bold" if best else ""
        yield _line(text, style=style)


def _slack(columns: Sequence[_Column], lines: Sequence[Row | int]) -> int:
    """Return by how much the columns that may shrink are wider than they must be."""
    rows = [line for line in lines if isinstance(line, Row)]
    slack = 0
    for column in columns:
        if column.least is not None:
            texts = (column.title, *(column.cell(row) for row in rows))
            slack += max(max(map(cell_len, texts)) - column.least, 0)
    return slack


_NAME = _Column(title="trial", cell=lambda row: visible(row.name))
_STATE = _Column(title="state", cell=lambda row: row.state.value)
_TIME = _Column(title="time", cell=lambda row: duration(row.seconds), right=True)


def _everything(standing: Standing) -> tuple[_Column, ...]:
    """A column for each parameter and each metric."""
    parameters = [_parameter(spec.name) for spec in standing.parameters]
    metrics = [_metric(name) for name in standing.objective.metrics]
    return (_NAME, *parameters, *metrics, _STATE, _TIME)


def _folded(
    standing: Standing, *, least: int | None = None, title: int | None = None
) -> tuple[_Column, ...]:
    """All parameters in one column, and of the metrics the objective."""
    parameters = _Column(
        title="parameters", cell=lambda row: choice(row.assignments, short=True), least=least
    )
    return (_NAME, parameters, _metric(standing.objective.metric, title), _STATE, _TIME)


def _barest(standing: Standing) -> tuple[_Column, ...]:
    """What became of which trial."""
    return (_NAME, _metric(standing.objective.metric, _SHORT_TITLE), _STATE)


def _parameter(name: str) -> _Column:
    def cell(row: Row) -> str:
        return number(next((a.value for a in row.assignments if a.name == name), ""))

    return _Column(title=cut(name), cell=cell, right=True)


def _metric(name: str, title: int | None = None) -> _Column:
    def cell(row: Row) -> str:
        return number(row.metrics.get(name, ""))

    return _Column(title=cut(name, title) if title else cut(name), cell=cell, right=True)


# -- which rows -----------------------------------------------------------------------------


def _shown(standing: Standing, budget: int) -> Iterator[Row | int]:
    """Yield rows in their order, and between them how many are left out, on `budget` lines.

    The best comes first to be shown, then what runs, then what is newest.
    """
    chosen = _chosen(standing, budget)
    hidden = 0
    for index, row in enumerate(standing.rows):
        if index not in chosen:
            hidden += 1
            continue
        if hidden:
            yield hidden
            hidden = 0
        yield row
    if hidden:
        yield hidden


def _chosen(standing: Standing, budget: int) -> set[int]:
    rows = standing.rows
    newest = range(len(rows) - 1, -1, -1)
    running = [index for index in newest if rows[index].state is State.RUNNING]
    best = [index for index in newest if rows[index] == standing.best]
    chosen: set[int] = set()
    for index in list(dict.fromkeys([*best, *running, *newest]))[:budget]:
        wider = chosen | {index}
        if len(wider) + _gaps(wider, len(rows)) <= budget:
            chosen = wider
    return chosen


def _gaps(chosen: set[int], count: int) -> int:
    """Return how many runs of rows are left out."""
    edges = [-1, *sorted(chosen), count]
    return sum(after - before > 1 for before, after in pairwise(edges))


# -- below the table ------------------------------------------------------------------------


def _progress(standing: Standing, width: int) -> RenderableType:
    ended = standing.ended
    of_all = f"{ended:,}" if standing.most is None else f"{ended:,}/{standing.most:,}"
    told = [f"{of_all} trials", duration(standing.seconds)]
    for state in (State.RUNNING, State.FAILED, State.STOPPED, State.WITHOUT_METRICS):
        count = standing.count(state)
        if count:
            told.append(f"{count:,} {state.value}")
    text = _line(" · ".join(part for part in told if part))
    if not standing.most:
        return text
    bar = ProgressBar(total=standing.most, completed=min(ended, standing.most), width=width // 4)
    grid = Table.grid(padding=(0, 2))
    grid.add_row(bar, text)
    return grid


def _best(standing: Standing) -> Iterator[Text]:
    best, metric = standing.best, standing.objective.metric
    if best is None:
        yield _line(f"no value of {visible(metric)} yet", style="dim")
        return
    value = best.metrics.get(metric, "")
    yield _line(
        f"best so far: {visible(metric)}={visible(value)} by {visible(best.name)}", style="bold"
    )
    yield _line(f"  {choice(best.assignments, short=True)}")
