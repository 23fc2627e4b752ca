"""The endpoints of experiments: training code asks for one by its name, and creates it."""

from __future__ import annotations

from dataclasses import replace

from api.faults import quoted
from api.types import JsonObject
from collector.mlflow.endpoint import Call, Outcome, new_id
from collector.mlflow.fields import LONGEST_TEXT
from collector.mlflow.refusals import RESOURCE_ALREADY_EXISTS, Refusal, invalid, missing
from collector.mlflow.state import Experiment, State

DEFAULT = Experiment(experiment_id="0", name="Default", created=0)
"""Each server of MLflow has it, for training code that names no experiment."""


def create_experiment(call: Call) -> Outcome:
    """Create an experiment; a location for its artifacts is ignored."""
    name = call.fields.text("name", longest=500)
    if _by_name(call.state, name) is not None:
        raise Refusal(RESOURCE_ALREADY_EXISTS, f"Experiment {quoted(name)} already exists")
    identity, state = new_id(call.state)
    experiment = Experiment(
        experiment_id=str(int(identity[:15], 16)),
        name=name,
        created=call.millis,
        tags=call.fields.pairs("tags"),
    )
    return Outcome(
        body={"experiment_id": experiment.experiment_id}, state=state.with_experiment(experiment)
    )


def get_experiment(call: Call) -> Outcome:
    """Return an experiment by its id."""
    experiment = call.state.experiment(call.fields.text("experiment_id"))
    return Outcome(body={"experiment": _document(experiment, call)})


def get_experiment_by_name(call: Call) -> Outcome:
    """Return an experiment by its name."""
    name = call.fields.text("experiment_name", longest=500)
    experiment = _by_name(call.state, name)
    if experiment is None:
        raise missing(f"Could not find experiment with name {quoted(name)}")
    return Outcome(body={"experiment": _document(experiment, call)})


def search_experiments(call: Call) -> Outcome:
    """Return all experiments."""
    refuse_filter(call)
    experiments = call.state.experiments.values()
    return Outcome(body={"experiments": [_document(each, call) for each in experiments]})


def set_experiment_tag(call: Call) -> Outcome:
    """Set a tag of an experiment."""
    fields = call.fields
    experiment = call.state.experiment(fields.text("experiment_id"))
    value = fields.optional_text("value", longest=LONGEST_TEXT)
    tags = {**experiment.tags, fields.text("key"): value}
    return Outcome(state=call.state.with_experiment(replace(experiment, tags=tags)))


def refuse_filter(call: Call) -> None:
    """Refuse a search that asks for some of the objects only.

    Raises:
        Refusal: the request has a filter.
    """
    wanted = call.fields.optional_text("filter", longest=LONGEST_TEXT)
    if wanted.strip():
        raise invalid(
            f"Invalid filter {quoted(wanted)}: beside a trial all runs are returned; leave the"
            " filter out, and choose from the result"
        )


def _by_name(state: State, name: str) -> Experiment | None:
    return next((each for each in state.experiments.values() if each.name == name), None)


def _document(experiment: Experiment, call: Call) -> JsonObject:
    return {
        "experiment_id": experiment.experiment_id,
        "name": experiment.name,
        "artifact_location": f"{call.artifacts}/{experiment.experiment_id}",
        "lifecycle_stage": "active",
        "creation_time": experiment.created,
        "last_update_time": experiment.created,
        "tags": [{"key": key, "value": value} for key, value in experiment.tags.items()],
    }
