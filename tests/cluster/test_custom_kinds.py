"""Trials of an unknown kind: its CRD and its rights come late."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import pytest
import yaml

from tests.architecture.tree import ROOT
from tests.cluster.client import Cluster, Object, RefusedError, until
from tests.cluster.experiments import Experiment, X, begun, searched, true_conditions, value_of
from tests.cluster.katib_config import trial_kind
from tests.cluster.observations import Rows
from tests.cluster.trials import exit_code, over

SUCCESS = 'status.phases.#(name=="Trained")#|#(state=="yes")#'
FAILURE = 'status.phases.#(name=="Broken")#|#(state=="yes")#'


class Trainings:
    """A kind of the test's own in a group that no test had before, and its operator."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.group = f"t{secrets.token_hex(4)}.example.dev"
        self.api_version = f"{self.group}/v1"
        self._path = f"/apis/{self.api_version}/namespaces/{namespace}/trainings"

    def install(self) -> None:
        """Bring the CRD, and the rights that the documents name."""
        apply = ("apply", "--filename=-")
        self.cluster.kubectl(*apply, objects=[_definition(self.group), *_rights(self.group)])

    def remove(self) -> None:
        """Take all of it away again."""
        roles = [f"clusterrole/{role['metadata']['name']}" for role in _rights(self.group)]
        definition = f"customresourcedefinition/trainings.{self.group}"
        self.cluster.kubectl("delete", "--ignore-not-found", "--wait=false", definition, *roles)

    def reconcile_once(self) -> None:
        """Do what an operator does: a pod for each training, and how that ended in the status."""
        # One that has ended may be deleted at any moment.
        for training in (one for one in self.listed() if not one.get("status")):
            name = training["metadata"]["name"]
            pod = self.cluster.get("pods", self.namespace, name)
            if pod is None:
                self.cluster.create("pods", self.namespace, self._pod(training))
            elif over(pod):
                status = {"status": {"phases": [_phase(exit_code(pod))]}}
                self.cluster.request("PATCH", f"{self._path}/{name}/status", status)

    def listed(self) -> list[Object]:
        """Return the trainings that there are."""
        try:
            items: list[Object] = self.cluster.request("GET", self._path)["items"]
        except RefusedError as error:
            assert error.status == 404, error  # noqa: PT017 - the API is served a moment later
            return []
        return items

    def _pod(self, training: Object) -> Object:
        owner = {
            "apiVersion": self.api_version,
            "kind": "Training",
            "name": training["metadata"]["name"],
            "uid": training["metadata"]["uid"],
            "controller": True,
        }
        template = training["spec"]["template"]
        metadata = {"name": owner["name"], "labels": template["metadata"]["labels"]}
        return {
            "metadata": {**metadata, "ownerReferences": [owner]},
            "spec": template["spec"],
        }


def _phase(status: int | None) -> Object:
    if status == 0:
        return {"name": "Trained", "state": "yes", "reason": "Converged", "message": "well"}
    return {"name": "Broken", "state": "yes", "reason": "Crash", "message": f"status {status}"}


def _definition(group: str) -> Object:
    names = {"plural": "trainings", "singular": "training", "kind": "Training"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"trainings.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def _rights(group: str) -> list[Object]:
    """Return the ClusterRoles that the documents show for another kind, of this one."""
    text = (ROOT / "docs" / "install.md").read_text()
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    shown = [block for block in blocks if "kind: ClusterRole" in block]
    roles = [
        yaml.safe_load(block.replace("ray.io", group).replace("rayjobs", "trainings"))
        for block in shown
    ]
    for number, role in enumerate(roles):
        role["metadata"]["name"] = f"{number}.{group}"
    return roles


@pytest.fixture
def trainings(cluster: Cluster, namespace: str) -> Iterator[Trainings]:
    kind = Trainings(cluster, namespace)
    with trial_kind(cluster, f"Training.v1.{kind.group}"):
        yield kind
        kind.remove()


def asking_for(trainings: Trainings) -> Object:
    """Return an experiment of two trainings, of which one fails."""
    document = searched("custom", ["0", "7"], "print", "loss=0.25", "exit", X)
    template = document["spec"]["trialTemplate"]
    template |= {"successCondition": SUCCESS, "failureCondition": FAILURE}
    template["trialSpec"] |= {"apiVersion": trainings.api_version, "kind": "Training"}
    return document


def begun_once_allowed(trainings: Trainings) -> Experiment:
    """Create the experiment as soon as the webhook knows that its kind is allowed."""
    document = asking_for(trainings)

    def created() -> Experiment | None:
        try:
            return begun(trainings.cluster, trainings.namespace, document)
        except RefusedError as error:
            if "trialResources of katib-config" not in str(error):
                raise
            return None

    return until("the kind to be allowed", created)


def trouble_of(experiment: Experiment) -> list[str]:
    events = experiment.cluster.listed("events", experiment.namespace)
    return [one["message"] for one in events if one["reason"] == "ReconcileError"]


def said_at_the_end(trial: Object) -> str:
    last = trial["status"]["conditions"][-1]
    return f"{last['type']}: {last['reason']}: {last['message']}"


def test_a_kind_that_comes_late_is_taken_its_conditions_read_and_its_metrics_collected(
    trainings: Trainings,
) -> None:
    experiment = begun_once_allowed(trainings)
    before = until("a word about the kind that is missing", lambda: trouble_of(experiment))
    trainings.install()

    def ended() -> bool:
        trainings.reconcile_once()
        return bool(experiment.document()["status"].get("completionTime"))

    until("the end", ended, tell=lambda: str(trouble_of(experiment)))

    trials = {value_of(trial): trial for trial in experiment.trials()}
    names = {value: trial["metadata"]["name"] for value, trial in trials.items()}
    measured: dict[str, Rows] = experiment.rows([*names.values()])
    assert trainings.api_version in before[0]
    assert said_at_the_end(trials["0"]) == (
        "Succeeded: TrialSucceeded. Job reason: Converged: Trial has succeeded. Job message: well"
    )
    assert said_at_the_end(trials["7"]) == (
        "Failed: TrialFailed. Job reason: Crash: Trial has failed. Job message: status 7"
    )
    assert measured == {name: [("loss", "0.25")] for name in names.values()}
    assert experiment.document()["status"]["currentOptimalTrial"]["bestTrialName"] == names["0"]
    until("the trainings to go", lambda: not trainings.listed())


def test_an_experiment_whose_kind_never_comes_can_be_deleted(trainings: Trainings) -> None:
    experiment = begun_once_allowed(trainings)
    until("a word about the kind that is missing", lambda: trouble_of(experiment))
    trials = experiment.trials()

    experiment.delete()

    assert [true_conditions(trial) for trial in trials] == [{"Created"}, {"Created"}]
