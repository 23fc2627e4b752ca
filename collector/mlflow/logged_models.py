"""The endpoints of logged models: MLflow 3 makes an entity of each model that is logged."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from api.types import Json, JsonObject
from collector.mlflow.endpoint import Call, Outcome, new_id
from collector.mlflow.experiments import refuse_filter
from collector.mlflow.refusals import invalid
from collector.mlflow.runs import pairs_document
from collector.mlflow.state import LoggedModel, State

_STATUSES: Final = (
    "LOGGED_MODEL_PENDING",
    "LOGGED_MODEL_READY",
    "LOGGED_MODEL_UPLOAD_FAILED",
)


def create_model(call: Call) -> Outcome:
    """Create a model, before the client writes its files."""
    fields = call.fields
    experiment = call.state.experiment(fields.optional_text("experiment_id") or "0")
    identity, state = new_id(call.state)
    model = LoggedModel(
        model_id=f"m-{identity}",
        experiment_id=experiment.experiment_id,
        name=fields.optional_text("name") or f"model-{state.serial}",
        model_type=fields.optional_text("model_type"),
        run_id=fields.optional_text("source_run_id"),
        created=call.millis,
        params=fields.pairs("params"),
        tags=fields.pairs("tags"),
    )
    return _changed(call, model, state)


def get_model(call: Call) -> Outcome:
    """Return a model by its id."""
    return Outcome(body={"model": _document(call.state.model(call.path_id), call)})


def finalize_model(call: Call) -> Outcome:
    """Note that the files of a model are complete, or are not."""
    model = call.state.model(call.path_id)
    status = call.fields.text("status")
    if status not in _STATUSES:
        raise invalid(f"Invalid value {status[:60]!r} for parameter 'status'")
    return _changed(call, replace(model, status=status), call.state)


def log_model_params(call: Call) -> Outcome:
    """Add params to a model."""
    model = call.state.model(call.path_id)
    added = {**model.params, **call.fields.pairs("params")}
    return replace(_changed(call, replace(model, params=added), call.state), body={})


def set_model_tags(call: Call) -> Outcome:
    """Set tags of a model."""
    model = call.state.model(call.path_id)
    tags = {**model.tags, **call.fields.pairs("tags")}
    return _changed(call, replace(model, tags=tags), call.state)


def search_models(call: Call) -> Outcome:
    """Return the models of some experiments, the newest first."""
    refuse_filter(call)
    experiments = call.fields.texts("experiment_ids")
    newest = reversed(list(call.state.models.values()))
    models: list[Json] = [
        _document(model, call) for model in newest if model.experiment_id in experiments
    ]
    return Outcome(body={"models": models})


def _changed(call: Call, model: LoggedModel, state: State) -> Outcome:
    body: JsonObject = {"model": _document(model, call)}
    return Outcome(body=body, state=state.with_model(model))


def _document(model: LoggedModel, call: Call) -> JsonObject:
    return {
        "info": {
            "model_id": model.model_id,
            "experiment_id": model.experiment_id,
            "name": model.name,
            "creation_timestamp_ms": model.created,
            "last_updated_timestamp_ms": model.created,
            "artifact_uri": (
                f"{call.artifacts}/{model.experiment_id}/models/{model.model_id}/artifacts"
            ),
            "status": model.status,
            "model_type": model.model_type,
            "source_run_id": model.run_id,
            "tags": pairs_document(model.tags),
        },
        "data": {"params": pairs_document(model.params)},
    }
