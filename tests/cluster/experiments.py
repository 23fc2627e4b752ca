"""Experiments on a cluster, as a user runs them: kubectl apply, get, delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from api.names import COLLECTOR_CONTAINER, EXPERIMENT_LABEL, NUMBER_LABEL, TRIAL_LABEL
from tests.cluster.client import Cluster, Object, until
from tests.cluster.observations import Observations, Rows
from tests.cluster.trainers import SCRATCH
from tests.cluster.trials import TRAINER

_ENDS = {"Succeeded", "Failed"}
_OWNED = ("suggestions", "trials", "jobs", "pods")
X = "${trialParameters.x}"
"""Where the words of a trainer have the trial's parameter."""


class Seen(NamedTuple):
    """What `kubectl get` prints of one kind: its columns, and what stands behind each name."""

    columns: list[str]
    rows: dict[str, list[str]]


class Experiment:
    """One experiment, by its name."""

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.name = name

    def document(self) -> Object:
        """Return the object as it is now."""
        return self.cluster.get("experiments", self.namespace, self.name) or {}

    def when(self, what: str, state: Callable[[Object], object]) -> Object:
        """Return the experiment once `state(document)` holds."""

        def look() -> Object | None:
            found = self.document()
            return found if state(found) else None

        return until(f"{what} of {self.name}", look, tell=self._state)

    def end(self) -> Object:
        """Return the experiment once it has ended."""
        return self.when("the end", lambda found: _ENDS & true_conditions(found))

    def change(self, **spec: object) -> None:
        """Change fields of its spec, as `kubectl patch` does."""
        self.cluster.patch("experiments", self.namespace, self.name, {"spec": spec})

    def delete(self) -> None:
        """Delete it, and return when all that was of it is gone."""
        self.cluster.delete("experiments", self.namespace, self.name)
        until("all of it to go", lambda: not self.left(), tell=lambda: str(self.left()))

    def trials(self) -> list[Object]:
        """Return its trials, in the order in which they were made."""
        found = self._owned("trials")
        return sorted(found, key=lambda trial: int(trial["metadata"]["labels"][NUMBER_LABEL]))

    def rows(self, trials: list[str]) -> dict[str, Rows]:
        """Return what the store has of trials."""
        with Observations(self.cluster) as store:
            return {trial: store.rows(self.namespace, trial) for trial in trials}

    def first_training(self, container: str = COLLECTOR_CONTAINER) -> tuple[str, str]:
        """Return the name of the first trial that is seen to train, and a container's log, to its end."""

        def started() -> Object | None:
            pods = self._owned("pods")
            return next((pod for pod in pods if pod["status"]["phase"] != "Pending"), None)

        pod = until(f"a trial of {self.name} that trains", started, tell=self._state)
        metadata = pod["metadata"]
        where = (f"--namespace={self.namespace}", f"--container={container}")
        log = self.cluster.kubectl("logs", "--follow", metadata["name"], *where)
        return metadata["labels"][TRIAL_LABEL], log

    def seen(self) -> dict[str, Seen]:
        """Return what `kubectl get` shows of all in the namespace, by kind."""
        kinds = "experiment,suggestion,trial,pod"
        said = self.cluster.kubectl("get", kinds, f"--namespace={self.namespace}")
        found = {}
        for table in said.strip().split("\n\n"):
            columns, *rows = (line.split() for line in table.splitlines())
            kind = rows[0][0].partition("/")[0].partition(".")[0]
            found[kind] = Seen(columns, {row[0].partition("/")[2]: row[1:] for row in rows})
        return found

    def left(self) -> dict[str, list[str]]:
        """Return the names of all that is of this experiment."""
        owned = {kind: [o["metadata"]["name"] for o in self._owned(kind)] for kind in _OWNED}
        return {kind: names for kind, names in owned.items() if names}

    def _owned(self, kind: str) -> list[Object]:
        return self.cluster.listed(kind, self.namespace, f"{EXPERIMENT_LABEL}={self.name}")

    def _state(self) -> str:
        """Say how things stand, for a person."""
        events = self.cluster.listed("events", self.namespace)
        said = [f"{one['reason']}: {one['message']}" for one in events[-20:]]
        conditions = {o["metadata"]["name"]: o.get("status", {}) for o in self.trials()}
        return json.dumps([self.document().get("status"), conditions, said])


def searched(name: str, values: Sequence[str], *words: str, **spec: object) -> Object:
    """Return an experiment that tries each of `values` once, as the parameter `x`.

    The trainer of its trials does `words`, in which `X` stands for the value; the least `loss` is
    the best. `spec` is laid over the experiment's.
    """
    feasible = {"list": [*values]}
    trainer = {"name": TRAINER, "image": SCRATCH, "command": ["/trainer", *words]}
    pod = {"restartPolicy": "Never", "containers": [trainer]}
    job = {"backoffLimit": 0, "template": {"spec": pod}}
    template = {
        "primaryContainerName": TRAINER,
        "trialParameters": [{"name": "x", "reference": "x"}],
        "trialSpec": {"apiVersion": "batch/v1", "kind": "Job", "spec": job},
    }
    given: Object = {
        "objective": {"type": "minimize", "objectiveMetricName": "loss"},
        "algorithm": {"algorithmName": "grid"},
        "parameters": [{"name": "x", "parameterType": "categorical", "feasibleSpace": feasible}],
        "parallelTrialCount": len(values),
        "maxTrialCount": len(values),
        "trialTemplate": template,
    }
    merged = {**given, **spec}
    merged["parallelTrialCount"] = min(merged["parallelTrialCount"], merged["maxTrialCount"])
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": name},
        "spec": merged,
    }


def begun(cluster: Cluster, namespace: str, document: Object) -> Experiment:
    """Create an experiment in a namespace that goes with it."""
    cluster.create("experiments", namespace, document)
    return Experiment(cluster, namespace, document["metadata"]["name"])


@contextmanager
def applied(cluster: Cluster, file: Path) -> Iterator[Experiment]:
    """Apply an experiment's file; whatever happens, it is deleted afterwards."""
    metadata = yaml.safe_load(file.read_text())["metadata"]
    experiment = Experiment(cluster, metadata["namespace"], metadata["name"])
    cluster.kubectl("apply", f"--filename={file}")
    try:
        yield experiment
    finally:
        cluster.delete("experiments", experiment.namespace, experiment.name)


def true_conditions(document: Object) -> set[str]:
    """Return the types of the conditions that are true."""
    conditions: list[dict[str, Any]] = document.get("status", {}).get("conditions", [])
    return {one["type"] for one in conditions if one["status"] == "True"}


def value_of(trial: Object) -> str:
    """Return the value of a trial's one parameter."""
    (assignment,) = trial["spec"]["parameterAssignments"]
    return str(assignment["value"])
