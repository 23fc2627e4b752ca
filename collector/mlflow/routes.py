"""Which endpoint answers a request, and why others are refused."""

from __future__ import annotations

from typing import Final

from api.faults import quoted
from collector.mlflow import experiments, logged_models, run_logging, runs
from collector.mlflow.endpoint import Endpoint
from collector.mlflow.refusals import ENDPOINT_NOT_FOUND, Refusal

PREFIX: Final = "/api/2.0/mlflow/"
_MODELS: Final = "logged-models/"

_ENDPOINTS: Final[dict[tuple[str, str], Endpoint]] = {
    ("POST", "experiments/create"): experiments.create_experiment,
    ("GET", "experiments/get"): experiments.get_experiment,
    ("GET", "experiments/get-by-name"): experiments.get_experiment_by_name,
    ("POST", "experiments/search"): experiments.search_experiments,
    ("GET", "experiments/search"): experiments.search_experiments,
    ("POST", "experiments/set-experiment-tag"): experiments.set_experiment_tag,
    ("GET", "metrics/get-history"): run_logging.metric_history,
    ("POST", "runs/create"): runs.create_run,
    ("GET", "runs/get"): runs.get_run,
    ("POST", "runs/update"): runs.update_run,
    ("POST", "runs/search"): runs.search_runs,
    ("POST", "runs/log-metric"): run_logging.log_metric,
    ("POST", "runs/log-batch"): run_logging.log_batch,
    ("POST", "runs/log-parameter"): run_logging.log_param,
    ("POST", "runs/set-tag"): run_logging.set_tag,
    ("POST", "runs/delete-tag"): run_logging.delete_tag,
    ("POST", "runs/log-inputs"): run_logging.accept,
    ("POST", "runs/outputs"): run_logging.accept,
    ("POST", "runs/log-model"): run_logging.accept,
    ("POST", "logged-models"): logged_models.create_model,
    ("POST", "logged-models/search"): logged_models.search_models,
}
_OF_A_MODEL: Final[dict[tuple[str, str], Endpoint]] = {
    ("GET", ""): logged_models.get_model,
    ("PATCH", ""): logged_models.finalize_model,
    ("POST", "params"): logged_models.log_model_params,
    ("PATCH", "tags"): logged_models.set_model_tags,
}
_REMEDIES: Final = {
    "registered-models/": "the sidecar has no model registry; leave out registered_model_name",
    "model-versions/": "the sidecar has no model registry; leave out registered_model_name",
    "traces": "the sidecar keeps no traces; turn tracing off",
}
_REMEDY: Final = "the sidecar answers the calls that log a training; use a server of MLflow"


def route(method: str, path: str) -> tuple[Endpoint, str]:
    """Return the endpoint of a request, and the id in its path, or empty.

    Raises:
        Refusal: the sidecar does not answer such requests.
    """
    name = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
    endpoint = _ENDPOINTS.get((method, name))
    if endpoint is not None:
        return endpoint, ""
    if name.startswith(_MODELS):
        model, _, rest = name.removeprefix(_MODELS).partition("/")
        endpoint = _OF_A_MODEL.get((method, rest))
        if endpoint is not None:
            return endpoint, model
    remedy = next((why for part, why in _REMEDIES.items() if f"/{part}" in path), _REMEDY)
    shown = quoted(f"{method} {path}"[:120])
    raise Refusal(ENDPOINT_NOT_FOUND, f"{shown} is not answered beside a trial: {remedy}")
