"""The optimization history: the objective of each trial in order of suggestion, and the best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from api.types import ObjectiveType
from trialwatch.view.plot_style import BEST, GOOD, UNSUCCESSFUL, hover, layout, objective_title
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState

_Numbered = list[tuple[int, TrialRow]]
_FOOT: Final = {
    "domain": [0, 0.08],
    "range": [0, 1],
    "tickvals": [0.5],
    "ticktext": ["no value"],
    "fixedrange": True,
    "showgrid": False,
    "zeroline": False,
}
"""The y axis of the trials without a value."""


def history_plot(summary: ExperimentSummary) -> go.Figure:
    """Draw the history; trials without a value are marked at the bottom."""
    figure = go.Figure(layout=layout("Optimization history"))
    for state in (TrialState.SUCCEEDED, *UNSUCCESSFUL):
        for trace in _traces(summary, state):
            figure.add_trace(trace)
    _add_best(figure, list(_best_until(summary)))
    if summary.objective.goal is not None:
        line = {"color": BEST, "width": 1, "dash": "dash"}
        figure.add_hline(y=summary.objective.goal, line=line, annotation_text="goal")
    figure.update_xaxes(
        title="trial, in order of suggestion",
        range=[0.5, max(len(summary.rows), 1) + 0.5],
        anchor="free",
        position=0,
        zeroline=False,
    )
    figure.update_yaxes(title=objective_title(summary), zeroline=False)
    if any(row.value is None and row.state.ended for row in summary.rows):
        figure.update_layout(yaxis={"domain": [0.12, 1]}, yaxis2=_FOOT)
    return figure


def _traces(summary: ExperimentSummary, state: TrialState) -> Iterator[go.Scatter]:
    """Yield the trials of one state: first those with a value, then those without."""
    mine = [(n, row) for n, row in enumerate(summary.rows, start=1) if row.state is state]
    seen = [(n, row) for n, row in mine if row.value is not None]
    if seen:
        yield _points(seen, state, [row.value for _, row in seen])
    unseen = [(n, row) for n, row in mine if row.value is None]
    if unseen and state.ended:
        yield _points(unseen, state, [0.5] * len(unseen), yaxis="y2", showlegend=not seen)


def _points(
    numbered: _Numbered, state: TrialState, heights: Sequence[float | None], **parts: object
) -> go.Scatter:
    colour, symbol, _ = UNSUCCESSFUL.get(state, (GOOD, "circle", ""))
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


def _best_until(summary: ExperimentSummary) -> Iterator[tuple[int, float]]:
    """Yield each change of the best value, and the last trial."""
    less = summary.objective.type is ObjectiveType.MINIMIZE
    best: float | None = None
    for number, row in enumerate(summary.rows, start=1):
        counts = row.state in (TrialState.SUCCEEDED, TrialState.STOPPED) and row.value is not None
        if not counts or row.value is None:
            continue
        if best is None or (row.value < best if less else row.value > best):
            best = row.value
            yield number, best
    if best is not None:
        yield len(summary.rows), best
