"""The report: one HTML file that needs neither a network nor a server."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from string import Template

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from api.faults import visible
from trialwatch.view.history_plot import history_plot
from trialwatch.view.parallel_plot import parallel_plot
from ui.model.experiment_summary import ExperimentSummary, TrialRow
from ui.model.formatting import counted, duration

_MOST_ROWS = 1000
"""The most rows of the table of all trials; the plots show all trials."""
_CONFIG = {"displaylogo": False, "responsive": True}

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$name: $metric</title>
<style>
:root { color-scheme: light dark; --ink: #1d2125; --ground: #ffffff; --rule: #d5dade; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe3e7; --ground: #14171a; --rule: #3a4047; }
}
html { scrollbar-gutter: stable; }
body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--ground); }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid var(--rule);
  white-space: nowrap; max-width: 24rem; overflow: hidden; text-overflow: ellipsis; }
td:last-child { white-space: normal; min-width: 12rem; }
.wide { overflow-x: auto; }
.plot { min-width: ${width}px; }
/* Plotly sets colours on each element; text and grid must follow the reader's preference. */
.js-plotly-plot text { fill: var(--ink) !important; }
.js-plotly-plot .textpoint text { paint-order: stroke; stroke: var(--ground); stroke-width: 4px; }
.js-plotly-plot .hovertext text { fill: #f1f3f5 !important; }
.js-plotly-plot .gridlayer path, .js-plotly-plot .zl { stroke: var(--rule) !important; }
</style>
<script>$library</script>
</head>
<body>
<h1>$name</h1>
<p>$what</p>
<p>$outcome</p>
$best
<div class="wide">$history</div>
<div class="wide"><div class="plot">$parallel</div></div>
<h2>All trials</h2>
<div class="wide">$trials</div>
</body>
</html>
""")


def report(summary: ExperimentSummary, library: str | None = None) -> str:
    """Return the page; `library` is the text of plotly.js, by default the installed one."""
    objective = summary.objective
    goal = "" if objective.goal is None else f", goal {objective.goal:g}"
    what = f"{objective.type.value} {objective.metric}{goal}, by {summary.algorithm}"
    return _PAGE.substitute(
        name=_text(summary.name),
        metric=_text(objective.metric),
        what=_text(what),
        outcome=_text(_outcome(summary)),
        best=_best(summary.best),
        width=110 * (len(summary.parameters) + 1),
        library=get_plotlyjs() if library is None else library,
        history=_plot(history_plot(summary), "history"),
        parallel=_plot(parallel_plot(summary), "parallel"),
        trials=_table(_trials(summary)),
    )


def _outcome(summary: ExperimentSummary) -> str:
    reason = summary.reason or "The experiment has not ended"
    ran = "" if summary.seconds is None else f", in {duration(summary.seconds)}"
    ended = f"{summary.ended:,} of {counted(len(summary.rows), 'trial')} ended"
    return f"{reason}. {ended}{ran}."


def _plot(figure: go.Figure, name: str) -> str:
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config=_CONFIG)
    return text


def _best(best: TrialRow | None) -> str:
    if best is None:
        return "<p>No optimal trial: the objective has no value.</p>"
    pairs = [*best.metrics.items(), *((a.name, a.value) for a in best.assignments)]
    return f"<h2>Optimal trial: {_text(best.name)}</h2>{_table(iter(pairs), head=False)}"


def _trials(summary: ExperimentSummary) -> Iterator[tuple[str, ...]]:
    parameters = [spec.name for spec in summary.parameters]
    metrics = summary.objective.metrics
    lineage = ("generation",) if any(row.lineage for row in summary.rows) else ()
    yield ("trial", *parameters, *metrics, "state", "time", *lineage, "")
    for row in summary.rows[:_MOST_ROWS]:
        values = {a.name: a.value for a in row.assignments}
        yield (
            row.name,
            *(values.get(name, "") for name in parameters),
            *(row.metrics.get(name, "") for name in metrics),
            row.state.value,
            duration(row.seconds),
            *(row.lineage for _ in lineage),
            row.cause,
        )
    hidden = len(summary.rows) - _MOST_ROWS
    if hidden > 0:
        yield (f"… {hidden:,} more",)


def _table(rows: Iterator[tuple[str, ...]], *, head: bool = True) -> str:
    lines = []
    for index, row in enumerate(rows):
        tag = "th" if head and index == 0 else "td"
        lines.append("<tr>" + "".join(f"<{tag}>{_text(cell)}</{tag}>" for cell in row) + "</tr>")
    return f"<table>{''.join(lines)}</table>"


def _text(text: str) -> str:
    return escape(visible(text))
