"""Parallel coordinates: each trial a line over an axis for each parameter, and the objective's.

Drawn as plain lines, not as plotly's own parallel coordinates: those have no words under the
pointer, no dashes, and no axis that is a logarithm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from api.types import ObjectiveType
from trialwatch.view.axes import NOWHERE, Axis, axis_of, axis_over
from trialwatch.view.looks import BEST, FATES, QUARTERS, QUIET, hover, layout, safe
from trialwatch.view.standing import Row, Standing, State


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Lines that look alike, and go by one click on the legend."""

    name: str
    line: dict[str, Any]
    rows: Sequence[Row]


def parallel_plot(standing: Standing) -> go.Figure:
    """Draw it; a trial without a value ends below the objective's axis."""
    axes = [axis_of(spec) for spec in standing.parameters]
    objective = axis_over([row.value for row in standing.rows if row.value is not None])
    figure = go.Figure(layout=layout("Which parameters led where"))
    for group in _groups(standing):
        if group.rows:
            heights = [_heights(row, standing, axes, objective) for row in group.rows]
            figure.add_trace(_lines(group, heights))
    for place, axis in enumerate([*axes, objective]):
        figure.add_vline(x=place, line={"color": QUIET, "width": 1}, layer="below")
        figure.add_trace(_ticks(place, axis))
    if any(row.value is None for group in _groups(standing) for row in group.rows):
        figure.add_trace(_labels(len(axes), [(NOWHERE, "no value")]))
    titles = [*(spec.name for spec in standing.parameters), standing.objective.metric]
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


def _groups(standing: Standing) -> Iterator[_Group]:
    """Yield the groups, the best trial last, so that it lies on top."""
    for state, (colour, _, dash) in FATES.items():
        rows = [row for row in standing.rows if row.state is state]
        yield _Group(
            name=state.value, line={"color": colour, "width": 1.5, "dash": dash}, rows=rows
        )
    more = standing.objective.type is not ObjectiveType.MINIMIZE
    well = [row for row in standing.rows if row.state is State.SUCCEEDED]
    ranked = sorted(
        (row for row in well if row.value is not None), key=lambda r: r.value or 0.0, reverse=more
    )
    for index, (name, colour) in reversed(list(enumerate(QUARTERS))):
        first, last = (len(ranked) * part // len(QUARTERS) for part in (index, index + 1))
        yield _Group(name=name, line={"color": colour, "width": 1.5}, rows=ranked[first:last])
    best = [standing.best] if standing.best is not None else []
    yield _Group(name="best trial", line={"color": BEST, "width": 3.5}, rows=best)


def _heights(
    row: Row, standing: Standing, axes: Sequence[Axis], objective: Axis
) -> list[float | None]:
    values = {a.name: a.value for a in row.assignments}
    heights = [
        axis.position(values.get(spec.name, ""))
        for spec, axis in zip(standing.parameters, axes, strict=True)
    ]
    end = None if row.value is None else objective.position(repr(row.value))
    return [*heights, NOWHERE if end is None else end]


def _lines(group: _Group, heights: Sequence[Sequence[float | None]]) -> go.Scatter:
    """Draw all lines of a group as one, lifted between two of them: plotly stays quick so."""
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
