"""What both plots share: colours, and the words beside a trial under the pointer.

The colours are of middling brightness, for the same lines stand on white paper and on a dark
screen; the page around them gives text and grid the colour of the reader's choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, Final

from api.types import ObjectiveType
from trialwatch.view.standing import Row, Standing, State
from trialwatch.view.words import cut, duration

BEST: Final = "#e8590c"
GOOD: Final = "#3b8ad9"
QUIET: Final = "#8b929a"
QUARTERS: Final = (
    ("best quarter", "#1c9c82"),
    ("second quarter", "#3b8ad9"),
    ("third quarter", "#8a7fd1"),
    ("last quarter", "#8b929a"),
)
"""Of the trials that succeeded, the best first."""

FATES: Final = {
    # what became of a trial: a colour, a marker, a dash
    State.RUNNING: (QUIET, "circle-open", "dot"),
    State.STOPPED: ("#b07d12", "diamond-open", "dot"),
    State.FAILED: ("#e03131", "x", "dash"),
    State.KILLED: ("#e03131", "cross", "dash"),
    State.WITHOUT_METRICS: ("#e03131", "triangle-down", "dash"),
}
"""What stands for the trials that did not succeed."""

_LONGEST = 60


def layout(title: str, **parts: object) -> dict[str, Any]:
    """Give what is common to both: a title, no ground of its own, a legend to click on."""
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
    """Write a user's text so that plotly, which reads some HTML, shows it and does no more."""
    return escape(cut(text, _LONGEST), quote=False)


def objective_title(standing: Standing) -> str:
    """Name the objective, and which way is better."""
    less = standing.objective.type is ObjectiveType.MINIMIZE
    return f"{safe(standing.objective.metric)} ({'less' if less else 'more'} is better)"


def hover(row: Row) -> str:
    """Say all about a trial, a line for each thing."""
    return "<br>".join(_facts(row))


def _facts(row: Row) -> Iterator[str]:
    yield f"<b>{safe(row.name)}</b>"
    ran = f" after {duration(row.seconds)}" if row.seconds is not None and row.state.ended else ""
    yield f"{row.state.value}{ran}"
    yield from (f"{safe(name)} = {safe(text)}" for name, text in row.metrics.items())
    yield from (f"{safe(a.name)} = {safe(a.value)}" for a in row.assignments)
    if row.cause and row.state is not State.SUCCEEDED:
        yield safe(row.cause)
