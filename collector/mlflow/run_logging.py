"""The endpoints with which a run logs: metrics, params, tags, and what is accepted but not kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from api.faults import quoted
from api.timestamps import LAST_MICROS
from collector.mlflow.endpoint import Call, Outcome
from collector.mlflow.exchange import LoggedPoint
from collector.mlflow.fields import LONGEST_TEXT, Fields
from collector.mlflow.metric_history import MOST_VALUES
from collector.mlflow.refusals import invalid, missing
from collector.mlflow.runs import metric_document, run_of
from collector.mlflow.state import LastValue, Run

_LAST_MILLIS: Final = LAST_MICROS // 1000


def log_metric(call: Call) -> Outcome:
    """Log one value of a metric."""
    return _log(call, (_point(call.fields, call.millis),), {}, {})


def log_batch(call: Call) -> Outcome:
    """Log metrics, params and tags; all of them, or none."""
    fields = call.fields
    points = tuple(_point(metric, call.millis) for metric in fields.messages("metrics"))
    return _log(call, points, fields.pairs("params"), fields.pairs("tags"))


def log_param(call: Call) -> Outcome:
    """Log one param."""
    return _log(call, (), _pair(call.fields), {})


def set_tag(call: Call) -> Outcome:
    """Set one tag."""
    return _log(call, (), {}, _pair(call.fields))


def delete_tag(call: Call) -> Outcome:
    """Delete one tag."""
    run, key = run_of(call), call.fields.text("key")
    if key not in run.tags:
        raise missing(f"No tag with name: {key} in run with id {run.run_id}")
    tags = {name: value for name, value in run.tags.items() if name != key}
    return Outcome(state=call.state.with_run(replace(run, tags=tags)))


def metric_history(call: Call) -> Outcome:
    """Return all values of a metric of a run."""
    run, key = run_of(call), call.fields.text("metric_key")
    values = call.history.of(run.run_id, key)
    if values is None and key in run.metrics:
        raise invalid(
            f"the values of metric {quoted(key)} are not all known: the sidecar keeps the last"
            f" {MOST_VALUES} values of all metrics for MLflow, until it starts again; read them"
            " with `trialwatch`"
        )
    metrics = [
        metric_document(LastValue(point.step, point.millis, point.value), key)
        for point in values or ()
    ]
    return Outcome(body={"metrics": metrics})


def accept(call: Call) -> Outcome:
    """Check the run only: data sets, and which models belong to it, are not kept."""
    run_of(call)
    return Outcome()


def _log(
    call: Call,
    points: tuple[LoggedPoint, ...],
    params: Mapping[str, str],
    tags: Mapping[str, str],
) -> Outcome:
    run = run_of(call)
    for key, value in params.items():
        before = run.params.get(key, value)
        if before != value:
            raise invalid(
                f"Changing param values is not allowed. Param with key={quoted(key)} was already"
                f" logged with value={quoted(before)} for run ID={quoted(run.run_id)}. Attempted"
                f" logging new value {quoted(value)}"
            )
    changed = replace(
        run,
        params={**run.params, **params},
        tags={**run.tags, **tags},
        metrics=_last_values(run, points),
    )
    return Outcome(state=call.state.with_run(changed), points=points, run=run)


def _last_values(run: Run, points: Iterable[LoggedPoint]) -> dict[str, LastValue]:
    metrics = dict(run.metrics)
    for point in points:
        new = LastValue(point.step, point.millis, point.value)
        old = metrics.get(point.name)
        if old is None or (new.step, new.millis) >= (old.step, old.millis):
            metrics[point.name] = new
    return metrics


def _point(fields: Fields, now: int) -> LoggedPoint:
    millis = fields.integer("timestamp", now)
    if not 0 <= millis <= _LAST_MILLIS:
        raise invalid(
            f"Got invalid timestamp {millis} for metric: write milliseconds since 1970, of the"
            " years up to 9999"
        )
    step = fields.integer("step", 0)
    return LoggedPoint(fields.text("key"), fields.double("value"), millis, step)


def _pair(fields: Fields) -> dict[str, str]:
    return {fields.text("key"): fields.optional_text("value", longest=LONGEST_TEXT)}
