"""Tenants who may only edit their own namespace, and try to get the controller's rights."""

from __future__ import annotations

from typing import Any

import pytest

from api.names import AUTHOR_ANNOTATION
from tests.cluster.client import Cluster, Object
from tests.cluster.experiments import X, searched
from tests.cluster.tenants import RBAC, Tenant


def asking_for(api_version: str, kind: str, **more: Any) -> Object:  # noqa: ANN401 - of the object
    """Return an experiment whose trials are such objects."""
    document = searched("mine", ["0"], "print", "loss=0.25", X)
    template = document["spec"]["trialTemplate"]
    template |= {"successCondition": "status.done", "failureCondition": "status.failed"}
    template["trialSpec"] |= {"apiVersion": api_version, "kind": kind, **more}
    return document


def by_hand(experiment: Object) -> Object:
    """Return the trial that the controller would make of it, as a tenant writes it."""
    spec = experiment["spec"]
    template = spec["trialTemplate"]
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {"name": "mine"},
        "spec": {
            "objective": spec["objective"],
            "parameterAssignments": [{"name": "x", "value": "0"}],
            "primaryContainerName": template["primaryContainerName"],
            "successCondition": template["successCondition"],
            "failureCondition": template["failureCondition"],
            "runSpec": template["trialSpec"],
        },
    }


VOLUME = asking_for("v1", "PersistentVolume")
BINDING = asking_for(
    f"{RBAC}/v1",
    "RoleBinding",
    roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": "trialwatch-controller"},
    subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
)
WORKFLOW = asking_for("argoproj.io/v1alpha1", "Workflow")
ATTACKS = {
    "a volume of the node": (VOLUME, "trials of the kind"),
    "the controller's own role": (BINDING, "trials of the kind"),
    "a kind that its author may not create": (WORKFLOW, "may not create objects of the kind"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_tenant_is_refused_what_is_not_theirs_by_experiment_and_by_trial(
    cluster: Cluster, namespace: str, name: str
) -> None:
    experiment, words = ATTACKS[name]
    tenant = Tenant(cluster, namespace)

    for document in (experiment, by_hand(experiment)):
        assert words in tenant.tries("create", document)

    for kind in ("experiments", "trials"):
        assert cluster.listed(kind, namespace) == []


def test_a_tenant_who_may_create_jobs_searches_and_cannot_forge_what_the_webhook_notes(
    cluster: Cluster, namespace: str
) -> None:
    tenant = Tenant(cluster, namespace)
    document = searched("mine", ["0"], "print", "loss=0.25", X)
    document["metadata"]["annotations"] = {AUTHOR_ANNOTATION: "Secret."}

    assert tenant.tries("create", document) == ""

    def noted() -> object:
        found = cluster.get("experiments", namespace, "mine")
        return (found or {})["metadata"]["annotations"][AUTHOR_ANNOTATION]

    assert noted() == "Job.batch"
    assert tenant.tries("apply", document) == ""
    assert noted() == "Job.batch"


def test_somebody_without_a_right_to_jobs_cannot_raise_the_count_of_somebody_elses_experiment(
    cluster: Cluster, namespace: str
) -> None:
    owner, other = Tenant(cluster, namespace), Tenant(cluster, namespace, "kubeflow-katib-edit")
    document = searched("mine", ["0", "1"], "print", "loss=0.25", X, maxTrialCount=1)
    assert owner.tries("create", document) == ""

    document["spec"]["maxTrialCount"] = 2

    assert "may not create objects of the kind Job" in other.tries("apply", document)
