"""The table of all operations of the API."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from api.errors import UserError
from api.metric_values import finite
from api.types import LogFormat
from ui.model.causes import failure_of
from ui.model.curves import Curve
from ui.model.experiment_list import ExperimentList
from ui.model.experiment_page import ExperimentPage
from ui.model.format_trial import FormatTrial, try_format
from ui.model.importance import Importance
from ui.model.trial_columns import TrialColumns
from ui.model.trial_page import TrialPage
from ui.server.operation import Call, Operation, Parameter
from ui.server.pages import Curves, CurveWish, LogText, Pages
from ui.sources.port import ExperimentKey

_EXPERIMENT = "/experiments/{namespace}/{experiment}"
_TRIAL = f"{_EXPERIMENT}/trials/{{trial}}"
_BUCKETS = Parameter(
    name="buckets", text="parts of the visible range", low=10, high=2000, default=200
)
_FROM = Parameter(name="from", text="the first visible position", low=0, high=10**9)
_TO = Parameter(name="to", text="the last visible position", low=0, high=10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatWish:
    """A text, and how to find metrics in it."""

    text: str
    metrics: tuple[str, ...]
    format: LogFormat = LogFormat.TEXT
    patterns: tuple[str, ...] = ()
    """Each a `metricsFormat`; none: by the names of the metrics."""


def operations() -> tuple[Operation, ...]:
    """Return all operations."""
    return (
        _get("/experiments", "listExperiments", "All experiments.", ExperimentList,
             lambda pages, _: pages.experiments()),
        _get(_EXPERIMENT, "getExperiment", "The head of an experiment's page.", ExperimentPage,
             lambda pages, call: pages.experiment(_key(call))),
        _get(f"{_EXPERIMENT}/trials", "listTrials", "All trials, in columns.", TrialColumns,
             lambda pages, call: pages.trials(_key(call))),
        _get(f"{_EXPERIMENT}/importance", "getImportance", "How much each parameter matters.",
             Importance, lambda pages, call: pages.importance(_key(call))),
        _get(_TRIAL, "getTrial", "The page of a trial.", TrialPage,
             lambda pages, call: pages.trial(_key(call), call.path("trial"))),
        Operation(
            method="GET",
            path=f"{_EXPERIMENT}/curves",
            name="getCurves",
            summary="The curves of one metric: the best and the running trials, and a band.",
            answers=Curves,
            handle=lambda pages, call: pages.curves(_key(call), _wish(call)),
            query=(
                Parameter(name="metric", text="its name", is_required=True),
                Parameter(name="top", text="how many best trials", low=0, high=50, default=6),
                Parameter(name="trials", text="more trials, with commas between", default=""),
                _BUCKETS, _FROM, _TO,
            ),
        ),
        Operation(
            method="GET",
            path=f"{_TRIAL}/curves",
            name="getTrialCurves",
            summary="The curves of all metrics of a trial.",
            answers=list[Curve],
            handle=lambda pages, call: pages.trial_curves(
                _key(call), call.path("trial"), call.number("buckets") or 200, _window(call)
            ),
            query=(_BUCKETS, _FROM, _TO),
        ),
        Operation(
            method="GET",
            path=f"{_TRIAL}/log",
            name="getLog",
            summary="A piece of the trainer's log; without a place, the last part.",
            answers=LogText,
            handle=lambda pages, call: pages.log(
                _key(call), call.path("trial"), call.text("place")
            ),
            query=(Parameter(name="place", text="`place` of the piece before", default=""),),
        ),
        Operation(
            method="GET",
            path=f"{_EXPERIMENT}/yaml",
            name="getYaml",
            summary="The Experiment as it is stored.",
            answers=str,
            media="application/yaml",
            handle=lambda pages, call: pages.yaml(_key(call)),
        ),
        Operation(
            method="GET",
            path=f"{_EXPERIMENT}/trials.csv",
            name="getTrialsAsCsv",
            summary="All trials as a table.",
            answers=str,
            media="text/csv",
            handle=_csv,
        ),
        Operation(
            method="POST",
            path="/metrics-format",
            name="tryMetricsFormat",
            summary="What would be collected from a text.",
            answers=FormatTrial,
            body=FormatWish,
            handle=_try,
        ),
    )  # fmt: skip


def _get(
    path: str,
    name: str,
    summary: str,
    answers: type[Any],
    handle: Callable[[Pages, Call], Awaitable[Any]],
) -> Operation:
    return Operation(
        method="GET", path=path, name=name, summary=summary, answers=answers, handle=handle
    )


def _key(call: Call) -> ExperimentKey:
    return ExperimentKey(call.path("namespace"), call.path("experiment"))


def _window(call: Call) -> tuple[int, int] | None:
    first, last = call.number("from"), call.number("to")
    if first is None or last is None:
        return None
    if first > last:
        raise UserError(f"from: {first} is greater than to: {last}")
    return first, last


def _wish(call: Call) -> CurveWish:
    return CurveWish(
        metric=call.text("metric"),
        buckets=call.number("buckets") or 200,
        top=call.number("top") or 0,
        trials=tuple(name for name in call.text("trials").split(",") if name),
        window=_window(call),
    )


async def _try(_: Pages, call: Call) -> FormatTrial:
    wish: FormatWish = await call.body(FormatWish)
    return try_format(wish.text, wish.metrics, wish.format, wish.patterns)


async def _csv(pages: Pages, call: Call) -> str:
    """Write the values as the trials got and printed them: a table that is saved rounds nothing."""
    stored = await pages.source.experiment(_key(call))
    summary = pages.summary(stored)
    parameters = [spec.name for spec in summary.parameters]
    metrics = summary.objective.metrics
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(_plain, ["trial", "state", *parameters, *metrics, "seconds", "note"]))
    for row in summary.rows:
        values = {one.name: one.value for one in row.assignments}
        cells = [row.name, row.state.value]
        cells += [values.get(name, "") for name in parameters]
        cells += [row.metrics.get(name, "") for name in metrics]
        cells += ["" if row.seconds is None else str(round(row.seconds, 3))]
        cells += [row.note or failure_of(row)]
        writer.writerow(map(_plain, cells))
    return text.getvalue()


def _plain(cell: str) -> str:
    """Return a cell that a spreadsheet does not take for a formula."""
    is_formula = cell[:1] in ("=", "+", "-", "@", "\t", "\r") and finite(cell) is None
    return f"'{cell}" if is_formula else cell
