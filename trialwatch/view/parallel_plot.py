"""Parallel coordinates: each trial is a line across one axis per parameter and the objective's.

The plot consists of plain lines, because plotly's own parallel coordinates have no hover text, no
dashed lines and no logarithmic axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from api.types import ObjectiveType
from trialwatch.view.axes import NOWHERE, Axis, axis_of, axis_over
from trialwatch.view.plot_style import BEST, QUARTERS, QUIET, UNSUCCESSFUL, hover, layout, safe
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Lines with the same style and one entry in the legend."""

    name: str
    line: dict[str, Any]
    rows: Sequence[TrialRow]


def parallel_plot(summary: ExperimentSummary) -> go.Figure:
    """Draw the plot; a trial without a value ends below the objective's axis."""
    axes = [axis_of(spec) for spec in summary.parameters]
    objective = axis_over([row.value for row in summary.rows if row.value is not None])
    figure = go.Figure(layout=layout("Parameters and objective"))
    for group in _groups(summary):
        if group.rows:
            heights = [_heights(row, summary, axes, objective) for row in group.rows]
            figure.add_trace(_lines(group, heights))
    for place, axis in enumerate([*axes, objective]):
        figure.add_vline(x=place, line={"color": QUIET, "width": 1}, layer="below")
        figure.add_trace(_ticks(place, axis))
    if any(row.value is None for group in _groups(summary) for row in group.rows):
        figure.add_trace(_labels(len(axes), [(NOWHERE, "no value")]))
    titles = [*(spec.name for spec in summary.parameters), summary.objective.metric]
    figure.update_xaxes(
        tickvals=list(range(len(titles))),
        ticktext=[f"<b>{safe(title)}</b>" for title in titles],
        side="top",
        range=[-0.35, len(axes) + 0.35],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(visible=False, range=[NOWHERE - 0.05, 1.05])
    return figure.update_layout(margin={"t": 100}, legend={"y": -0.02, "traceorder": "reversed"})


def _groups(summary: ExperimentSummary) -> Iterator[_Group]:
    """Yield the groups; the best trial is last, so that it is drawn on top."""
    for state, (colour, _, dash) in UNSUCCESSFUL.items():
        rows = [row for row in summary.rows if row.state is state]
        yield _Group(
            name=state.value, line={"color": colour, "width": 1.5, "dash": dash}, rows=rows
        )
    more = summary.objective.type is not ObjectiveType.MINIMIZE
    well = [row for row in summary.rows if row.state is TrialState.SUCCEEDED]
    ranked = sorted(
        (row for row in well if row.value is not None), key=lambda r: r.value or 0.0, reverse=more
    )
    for index, (name, colour) in reversed(list(enumerate(QUARTERS))):
        first, last = (len(ranked) * part // len(QUARTERS) for part in (index, index + 1))
        yield _Group(name=name, line={"color": colour, "width": 1.5}, rows=ranked[first:last])
    best = [summary.best] if summary.best is not None else []
    yield _Group(name="best trial", line={"color": BEST, "width": 3.5}, rows=best)


def _heights(
    row: TrialRow, summary: ExperimentSummary, axes: Sequence[Axis], objective: Axis
) -> list[float | None]:
    values = {a.name: a.value for a in row.assignments}
    heights = [
        axis.position(values.get(spec.name, ""))
        for spec, axis in zip(summary.parameters, axes, strict=True)
    ]
    end = None if row.value is None else objective.position(repr(row.value))
    return [*heights, NOWHERE if end is None else end]


def _lines(group: _Group, heights: Sequence[Sequence[float | None]]) -> go.Scatter:
    """Draw all lines of a group as one trace with gaps, because many traces are slow in plotly."""
    xs: list[int | None] = []
    ys: list[float | None] = []
    words: list[str] = []
    for row, line in zip(group.rows, heights, strict=True):
        xs += [*range(len(line)), None]
        ys += [*line, None]
        words += [hover(row)] * len(line) + [""]
    return go.Scatter(
        x=xs,
        y=ys,
        name=group.name,
        mode="lines+markers",
        line=group.line,
        marker={"size": 5},
        hovertext=words,
        hoverinfo="text",
    )


def _ticks(place: int, axis: Axis) -> go.Scatter:
    return _labels(place, axis.ticks)


def _labels(place: int, ticks: Sequence[tuple[float, str]]) -> go.Scatter:
    return go.Scatter(
        x=[place] * len(ticks),
        y=[height for height, _ in ticks],
        mode="text",
        text=[f"{safe(label)} " for _, label in ticks],
        textposition="middle left",
        showlegend=False,
        hoverinfo="skip",
    )
