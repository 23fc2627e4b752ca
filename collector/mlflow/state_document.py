"""The state as JSON bytes, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, Final

from api.errors import SetupError
from collector.mlflow.state import Experiment, LastValue, LoggedModel, Run, State

_VERSION: Final = 1


def state_to_bytes(state: State) -> bytes:
    """Return the state as bytes that `state_from_bytes` reads."""
    document = {
        "version": _VERSION,
        "seed": state.seed,
        "serial": state.serial,
        "experiments": [_document(each) for each in state.experiments.values()],
        "runs": [_document(each) for each in state.runs.values()],
        "models": [_document(each) for each in state.models.values()],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def state_from_bytes(data: bytes) -> State:
    """Return the state that these bytes describe.

    Raises:
        SetupError: they do not describe one.
    """
    try:
        document = json.loads(data)
        if document["version"] != _VERSION:
            raise SetupError(
                f"the state of MLflow's runs has version {document['version']}: start the pod anew"
            )
        experiments = [Experiment(**each) for each in document["experiments"]]
        runs = [_run(each) for each in document["runs"]]
        models = [LoggedModel(**each) for each in document["models"]]
        return State(
            seed=document["seed"],
            serial=document["serial"],
            experiments={each.experiment_id: each for each in experiments},
            runs={each.run_id: each for each in runs},
            models={each.model_id: each for each in models},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise SetupError(
            f"the state of MLflow's runs is damaged ({error}): start the pod anew"
        ) from None


def _document(entity: Experiment | Run | LoggedModel) -> dict[str, object]:
    return {each.name: getattr(entity, each.name) for each in fields(entity)}


def _run(document: dict[str, Any]) -> Run:
    last = {name: LastValue(*value) for name, value in document["metrics"].items()}
    return Run(**{**document, "metrics": last})
