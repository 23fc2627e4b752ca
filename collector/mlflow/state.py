"""What is known between two requests: experiments, runs and logged models, as immutable values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from collector.mlflow.refusals import missing

PARENT_TAG: Final = "mlflow.parentRunId"
NAME_TAG: Final = "mlflow.runName"
RUNNING: Final = "RUNNING"


class LastValue(NamedTuple):
    """A metric's value with the highest step, time and value, which MLflow shows for a run."""

    step: int
    millis: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """An MLflow experiment: a name for runs. It has nothing to do with the object Experiment."""

    experiment_id: str
    name: str
    created: int
    """Milliseconds since 1970, as each time here."""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An MLflow run."""

    run_id: str
    experiment_id: str
    name: str
    user_id: str
    start_time: int
    end_time: int | None = None
    status: str = RUNNING
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, LastValue] = field(default_factory=dict)

    @property
    def nested(self) -> bool:
        """Whether it is a part of another run, such as one candidate of a grid search."""
        return PARENT_TAG in self.tags


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedModel:
    """A model that the training has logged; its files are with the trainer."""

    model_id: str
    experiment_id: str
    name: str
    model_type: str
    run_id: str
    created: int
    status: str = "LOGGED_MODEL_PENDING"
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All of it. A state that is changed is a new value."""

    seed: str
    """Random text, from which all ids are derived."""
    serial: int = 0
    """How many ids were given."""
    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)
    models: Mapping[str, LoggedModel] = field(default_factory=dict)

    def experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment by its id.

        Raises:
            Refusal: there is none.
        """
        if experiment_id not in self.experiments:
            raise missing(f"No Experiment with id={experiment_id} exists")
        return self.experiments[experiment_id]

    def run(self, run_id: str) -> Run:
        """Return a run by its id.

        Raises:
            Refusal: there is none, or it was forgotten.
        """
        if run_id not in self.runs:
            raise missing(f"Run with id={run_id} not found: the sidecar knows the runs of its pod")
        return self.runs[run_id]

    def model(self, model_id: str) -> LoggedModel:
        """Return a logged model by its id.

        Raises:
            Refusal: there is none.
        """
        if model_id not in self.models:
            raise missing(f"Logged model with id={model_id} not found")
        return self.models[model_id]

    def with_run(self, run: Run) -> State:
        """Return the state with this run, new or changed."""
        return replace(self, runs={**self.runs, run.run_id: run})

    def with_model(self, model: LoggedModel) -> State:
        """Return the state with this model, new or changed."""
        return replace(self, models={**self.models, model.model_id: model})

    def with_experiment(self, experiment: Experiment) -> State:
        """Return the state with this experiment, new or changed."""
        added = {**self.experiments, experiment.experiment_id: experiment}
        return replace(self, experiments=added)
