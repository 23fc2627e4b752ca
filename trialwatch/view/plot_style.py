"""The style of both plots: colours, and the text for the trial under the pointer.

The colours have medium brightness, because the same lines are shown on light and dark backgrounds.
The page sets the colours of text and grid by the reader's preference.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, Final

from api.types import ObjectiveType
from ui.model.experiment_summary import ExperimentSummary, TrialRow, TrialState
from ui.model.formatting import cut, duration

BEST: Final = "#e8590c"
GOOD: Final = "#3b8ad9"
QUIET: Final = "#8b929a"
QUARTERS: Final = (
    ("best quarter", "#1c9c82"),
    ("second quarter", "#3b8ad9"),
    ("third quarter", "#8a7fd1"),
    ("last quarter", "#8b929a"),
)
"""Quarters of the successful trials, the best first."""

UNSUCCESSFUL: Final = {
    # the state of a trial: a colour, a marker, a dash
    TrialState.RUNNING: (QUIET, "circle-open", "dot"),
    TrialState.STOPPED: ("#b07d12", "diamond-open", "dot"),
    TrialState.FAILED: ("#e03131", "x", "dash"),
    TrialState.KILLED: ("#e03131", "cross", "dash"),
    TrialState.WITHOUT_METRICS: ("#e03131", "triangle-down", "dash"),
}
"""The style of trials that did not succeed."""

_LONGEST = 60


def layout(title: str, **parts: object) -> dict[str, Any]:
    """Return the common layout: a title, a transparent background, a legend to click on."""
    return {
        "template": "none",
        "title": {"text": title, "x": 0, "xref": "paper"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": QUIET},
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "bgcolor": "#22262b", "font": {"color": "#f1f3f5"}},
        "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": QUIET, "activecolor": GOOD},
        "margin": {"l": 70, "r": 40, "t": 60, "b": 60},
        "height": 460,
        **parts,
    }


def safe(text: str) -> str:
    """Escape a user's text, because plotly interprets some HTML."""
    return escape(cut(text, _LONGEST), quote=False)


def objective_title(summary: ExperimentSummary) -> str:
    """Return the objective's name, and which direction is better."""
    less = summary.objective.type is ObjectiveType.MINIMIZE
    return f"{safe(summary.objective.metric)} ({'less' if less else 'more'} is better)"


def hover(row: TrialRow) -> str:
    """Return all facts about a trial, one per line."""
    return "<br>".join(_facts(row))


def _facts(row: TrialRow) -> Iterator[str]:
    yield f"<b>{safe(row.name)}</b>"
    ran = f" after {duration(row.seconds)}" if row.seconds is not None and row.state.ended else ""
    yield f"{row.state.value}{ran}"
    yield from (f"{safe(name)} = {safe(text)}" for name, text in row.metrics.items())
    yield from (f"{safe(a.name)} = {safe(a.value)}" for a in row.assignments)
    if row.cause and row.state is not TrialState.SUCCEEDED:
        yield safe(row.cause)
