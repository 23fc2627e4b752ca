"""The table of trials while an experiment runs; it fits into any terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from api.faults import visible
from api.types import Experiment, Trial
from trialwatch.view.trial_table import one_line, trial_table
from ui.model.experiment_summary import (
    ExperimentSummary,
    Latest,
    TrialState,
    summary_of,
)
from ui.model.formatting import choice, duration, rounded

_AROUND = 9
"""Lines besides the rows: title, two of the head, rule, gap, bar, two for the best, cursor."""
_FEWEST = 3
"""Rows that are always shown."""
_NARROW = 60
"""A terminal of fewer columns has no bar, so that the counts fit."""
_MESSAGES = 3
"""The most messages below the table; the newest ones."""


def live_view(
    experiment: Experiment, trials: Sequence[Trial], latest: Latest, now: datetime
) -> RenderableType:
    """Return a view of an experiment: its trials, the best so far, the progress."""
    return LiveView(summary_of(experiment, trials, latest, now))


@dataclass(frozen=True, slots=True)
class LiveView:
    """A summary that rich can draw, never larger than the terminal."""

    summary: ExperimentSummary
    messages: Sequence[str] = ()
    """All warnings and events of the run, the oldest first."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the summary for this terminal."""
        summary = self.summary
        height = options.height or options.max_height
        room = max(min(height // 3, height - _AROUND - _FEWEST), 1)
        shown = _wrapped(self.messages, options.max_width, room, console)
        below = tuple(_messages(summary, shown))
        yield one_line(_title(summary), style="bold")
        yield trial_table(summary, max(height - _AROUND - len(below), _FEWEST), console, options)
        yield Text("")
        yield _progress(summary, options.max_width)
        yield from _best(summary)
        yield from below


def _title(summary: ExperimentSummary) -> str:
    objective = summary.objective
    goal = "" if objective.goal is None else f", goal {objective.goal:g}"
    return (
        f"{visible(summary.name)}: {objective.type.value} {visible(objective.metric)}{goal}, by"
        f" {visible(summary.algorithm)}"
    )


# -- below the table ------------------------------------------------------------------------


def _progress(summary: ExperimentSummary, width: int) -> RenderableType:
    ended = summary.ended
    of_all = f"{ended:,}" if summary.most is None else f"{ended:,}/{summary.most:,}"
    parts = [f"{of_all} trials", duration(summary.seconds)]
    for state in (
        TrialState.RUNNING,
        TrialState.INTERRUPTED,
        TrialState.FAILED,
        TrialState.STOPPED,
        TrialState.WITHOUT_METRICS,
    ):
        count = summary.count(state)
        if count:
            parts.append(f"{count:,} {state.value}")
    text = one_line(" · ".join(part for part in parts if part))
    if not summary.most or width < _NARROW:
        return text
    bar = ProgressBar(total=summary.most, completed=min(ended, summary.most), width=width // 4)
    grid = Table.grid(padding=(0, 2))
    grid.add_row(bar, text)
    return grid


def _best(summary: ExperimentSummary) -> Iterator[Text]:
    best, metric = summary.best, summary.objective.metric
    if best is None:
        yield one_line(_without_best(summary), style="dim")
        return
    value = best.metrics.get(metric, "")
    yield one_line(
        f"best so far: {visible(metric)}={rounded(value)} by {visible(best.name)}", style="bold"
    )
    yield one_line(f"  {choice(best.assignments, short=True)}")


def _without_best(summary: ExperimentSummary) -> str:
    metric = visible(summary.objective.metric)
    return f"no value of {metric} yet" if summary.ended else "no trial has ended yet"


def _messages(summary: ExperimentSummary, shown: Sequence[Text]) -> Iterator[Text]:
    if summary.run.note and not summary.run.interrupted and summary.outcome is None:
        yield one_line(visible(summary.run.note), style="dim")
    yield from shown
    if summary.run.notice:
        yield one_line(visible(summary.run.notice), style="bold yellow")


def _wrapped(messages: Sequence[str], width: int, most: int, console: Console) -> list[Text]:
    """Return the lines of the newest messages, at most `most`; the end of each one stays."""
    lines: list[Text] = []
    for message in reversed(messages[-_MESSAGES:]):
        wrapped = [*Text(visible(message), style="yellow").wrap(console, width, overflow="fold")]
        room = most - len(lines)
        if len(wrapped) > room:
            wrapped = [*wrapped[:1], *wrapped[-room + 1 :]] if room > 1 else []
        lines[:0] = wrapped
        if not wrapped:
            break
    return lines
