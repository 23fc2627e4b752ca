"""The optimisation history: the objective of each trial in the order of asking, and the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from api.types import ObjectiveType
from trialwatch.view.looks import BEST, FATES, GOOD, hover, layout, objective_title
from trialwatch.view.standing import Row, Standing, State

_Numbered = list[tuple[int, Row]]
_FOOT: Final = {
    "domain": [0, 0.08],
    "range": [0, 1],
    "tickvals": [0.5],
    "ticktext": ["no value"],
    "fixedrange": True,
    "showgrid": False,
    "zeroline": False,
}
"""The scale of the trials that have no height."""


def history_plot(standing: Standing) -> go.Figure:
    """Draw it; what has no value is marked along the foot."""
    figure = go.Figure(layout=layout("How the search went on"))
    for state in (State.SUCCEEDED, *FATES):
        for trace in _traces(standing, state):
            figure.add_trace(trace)
    _add_best(figure, list(_best_until(standing)))
    if standing.objective.goal is not None:
        line = {"color": BEST, "width": 1, "dash": "dash"}
        figure.add_hline(y=standing.objective.goal, line=line, annotation_text="goal")
    figure.update_xaxes(
        title="trial, in the order of asking",
        range=[0.5, max(len(standing.rows), 1) + 0.5],
        anchor="free",
        position=0,
        zeroline=False,
    )
    figure.update_yaxes(title=objective_title(standing), zeroline=False)
    if any(row.value is None and row.state.ended for row in standing.rows):
        figure.update_layout(yaxis={"domain": [0.12, 1]}, yaxis2=_FOOT)
    return figure


def _traces(standing: Standing, state: State) -> Iterator[go.Scatter]:
    """Yield the trials of one state: those with a value, and those without."""
    mine = [(n, row) for n, row in enumerate(standing.rows, start=1) if row.state is state]
    seen = [(n, row) for n, row in mine if row.value is not None]
    if seen:
        yield _points(seen, state, [row.value for _, row in seen])
    unseen = [(n, row) for n, row in mine if row.value is None]
    if unseen and state.ended:
        yield _points(unseen, state, [0.5] * len(unseen), yaxis="y2", showlegend=not seen)


def _points(
    numbered: _Numbered, state: State, heights: Sequence[float | None], **parts: object
) -> go.Scatter:
    colour, symbol, _ = FATES.get(state, (GOOD, "circle", ""))
    marker: dict[str, Any] = {"color": colour, "symbol": symbol, "size": 9}
    return go.Scatter(
        x=[number for number, _ in numbered],
        y=heights,
        name=state.value,
        legendgroup=state.value,
        mode="markers",
        marker=marker,
        hovertext=[hover(row) for _, row in numbered],
        hoverinfo="text",
        **parts,
    )


def _add_best(figure: go.Figure, steps: Sequence[tuple[int, float]]) -> None:
    if steps:
        figure.add_trace(
            go.Scatter(
                x=[number for number, _ in steps],
                y=[value for _, value in steps],
                name="best so far",
                mode="lines",
                line={"color": BEST, "width": 2, "shape": "hv"},
                hoverinfo="skip",
            )
        )


def _best_until(standing: Standing) -> Iterator[tuple[int, float]]:
    """Yield where the best value changed, and once more at the end."""
    less = standing.objective.type is ObjectiveType.MINIMIZE
    best: float | None = None
    for number, row in enumerate(standing.rows, start=1):
        counts = row.state in (State.SUCCEEDED, State.STOPPED) and row.value is not None
        if not counts or row.value is None:
            continue
        if best is None or (row.value < best if less else row.value > best):
            best = row.value
            yield number, best
    if best is not None:
        yield len(standing.rows), best
