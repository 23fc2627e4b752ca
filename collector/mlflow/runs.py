"""The endpoints of runs: create, read, change their status, list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from api.types import Json, JsonObject
from collector.mlflow.endpoint import Call, Outcome, new_id
from collector.mlflow.experiments import refuse_filter
from collector.mlflow.refusals import invalid
from collector.mlflow.state import NAME_TAG, LastValue, Run

_STATUSES: Final = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
_ORDERS: Final = ("", "start_time DESC", "attribute.start_time DESC")
_NOT_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
"""How the JSON of protocol buffers writes the doubles that JSON does not have."""


def create_run(call: Call) -> Outcome:
    """Create a run."""
    fields = call.fields
    experiment = call.state.experiment(fields.optional_text("experiment_id") or "0")
    identity, state = new_id(call.state)
    tags = fields.pairs("tags")
    name = fields.optional_text("run_name") or tags.get(NAME_TAG) or f"run-{state.serial}"
    run = Run(
        run_id=identity,
        experiment_id=experiment.experiment_id,
        name=name,
        user_id=fields.optional_text("user_id"),
        start_time=fields.integer("start_time", call.millis),
        tags={**tags, NAME_TAG: name},
    )
    return Outcome(body={"run": run_document(run, call)}, state=state.with_run(run))


def get_run(call: Call) -> Outcome:
    """Return a run by its id."""
    return Outcome(body={"run": run_document(run_of(call), call)})


def update_run(call: Call) -> Outcome:
    """Change the status, the end or the name of a run."""
    fields, run = call.fields, run_of(call)
    status = fields.optional_text("status") or run.status
    if status not in _STATUSES:
        raise invalid(f"Invalid value {status[:60]!r} for parameter 'status'")
    name = fields.optional_text("run_name") or run.name
    end = fields.integer("end_time", -1)
    changed = replace(
        run,
        status=status,
        name=name,
        end_time=run.end_time if end < 0 else end,
        tags={**run.tags, NAME_TAG: name},
    )
    return Outcome(body={"run_info": _info(changed, call)}, state=call.state.with_run(changed))


def search_runs(call: Call) -> Outcome:
    """Return the runs of some experiments, the newest first."""
    refuse_filter(call)
    experiments = call.fields.texts("experiment_ids")
    for order in call.fields.texts("order_by"):
        if order not in _ORDERS:
            raise invalid(
                f"Invalid order_by {order[:60]!r}: beside a trial the newest run is the first;"
                " sort the result"
            )
    deleted = call.fields.optional_text("run_view_type") == "DELETED_ONLY"
    newest = [] if deleted else reversed(list(call.state.runs.values()))
    runs: list[Json] = [
        run_document(run, call) for run in newest if run.experiment_id in experiments
    ]
    return Outcome(body={"runs": runs})


def run_of(call: Call) -> Run:
    """Return the run that a request names; `run_uuid` is the name that old clients use.

    Raises:
        Refusal: it names none, or one that is not known.
    """
    fields = call.fields
    return call.state.run(fields.optional_text("run_uuid") or fields.text("run_id"))


def run_document(run: Run, call: Call) -> JsonObject:
    """Return a run as MLflow writes it."""
    metrics: list[Json] = [metric_document(last, key) for key, last in run.metrics.items()]
    data: JsonObject = {
        "metrics": metrics,
        "params": pairs_document(run.params),
        "tags": pairs_document(run.tags),
    }
    return {"info": _info(run, call), "data": data, "inputs": {}}


def metric_document(value: LastValue, name: str) -> JsonObject:
    """Return one value of a metric as MLflow writes it."""
    number = _NOT_FINITE.get(value.value) or float(value.value)
    return {"key": name, "value": number, "timestamp": value.millis, "step": value.step}


def _info(run: Run, call: Call) -> JsonObject:
    info: JsonObject = {
        "run_id": run.run_id,
        "run_uuid": run.run_id,
        "run_name": run.name,
        "experiment_id": run.experiment_id,
        "user_id": run.user_id,
        "status": run.status,
        "start_time": run.start_time,
        "artifact_uri": f"{call.artifacts}/{run.experiment_id}/{run.run_id}/artifacts",
        "lifecycle_stage": "active",
    }
    return info if run.end_time is None else {**info, "end_time": run.end_time}


def pairs_document(values: Mapping[str, str]) -> list[Json]:
    """Return params or tags as MLflow writes them."""
    return [{"key": key, "value": value} for key, value in values.items()]
