"""Which pods reach the webhook: those that may belong to a trial, and no others."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from api import names
from tests.manifests.crd_admission import holds
from tests.manifests.kustomize import OVERLAYS
from tests.manifests.rendered_objects import Object, named, overlay, selects

OWNED, JOBS, LABELLED, COLLECTED = (
    f"{word}.trialwatch.dev" for word in ("owned", "jobs", "labelled", "collected")
)
TRIAL = {names.TRIAL_LABEL: "random-x7k2p"}
COLLECT = {names.COLLECT_LABEL: "true"}
OPEN = {names.INJECTION_LABEL: names.INJECTION_ENABLED}
HANDED_OVER = {names.HANDOVER_LABEL: names.INJECTION_ENABLED}


class Case(NamedTuple):
    """A new pod, and the webhook entries that should get it."""

    asked: set[str]
    labels: dict[str, str] | None = None
    owners: tuple[str, ...] = ()
    namespace: dict[str, str] = {}  # noqa: RUF012 - never changed
    namespace_name: str = "team-a"


CASES = {
    "a pod of nobody": Case(set()),
    "a pod of nobody in an open namespace": Case(set(), namespace=OPEN),
    "a pod with other labels": Case(set(), labels={"app": "web"}, namespace=OPEN),
    "a Deployment's pod": Case(set(), owners=("apps/v1/ReplicaSet",), namespace=OPEN),
    "a notebook": Case(set(), owners=("apps/v1/StatefulSet",), namespace=OPEN),
    "a daemon": Case(set(), owners=("apps/v1/DaemonSet",), namespace=OPEN),
    "a static pod": Case(set(), owners=("v1/Node",), namespace=OPEN),
    "a step of a pipeline": Case(set(), owners=("argoproj.io/v1alpha1/Workflow",), namespace=OPEN),
    "a job's pod": Case(set(), owners=("batch/v1/Job",)),
    "a job's pod in an open namespace": Case({JOBS}, owners=("batch/v1/Job",), namespace=OPEN),
    "a training job's pod": Case({JOBS}, owners=("kubeflow.org/v1/PyTorchJob",), namespace=OPEN),
    "a Trial's own pod": Case({OWNED}, owners=("kubeflow.org/v1beta1/Trial",), namespace=OPEN),
    "a pod of a Trial and a job": Case(
        {OWNED}, owners=("batch/v1/Job", "kubeflow.org/v1beta1/Trial"), namespace=OPEN
    ),
    "a pod of two owners": Case({JOBS}, owners=("v1/Node", "batch/v1/Job"), namespace=OPEN),
    "a job's pod with other labels": Case(
        {JOBS}, labels={"app": "x"}, owners=("batch/v1/Job",), namespace=OPEN
    ),
    "a labelled pod": Case({LABELLED}, labels=TRIAL),
    "a labelled pod of any owner": Case({LABELLED}, labels=TRIAL, owners=("a.example/v1/Any",)),
    "a labelled pod of a job in an open namespace": Case(
        {LABELLED}, labels=TRIAL, owners=("batch/v1/Job",), namespace=OPEN
    ),
    "a labelled pod in our own namespace": Case(
        {LABELLED}, labels=TRIAL, namespace_name=names.CORE_NAMESPACE
    ),
    "a labelled pod of the system": Case(set(), labels=TRIAL, namespace_name="kube-system"),
    "a pod without a trial": Case({COLLECTED}, labels=COLLECT),
    "a job's pod without a trial in an open namespace": Case(
        {COLLECTED}, labels=COLLECT, owners=("batch/v1/Job",), namespace=OPEN
    ),
    "a pod of the system that asks": Case(set(), labels=COLLECT, namespace_name="kube-system"),
    "a pod with both labels": Case({LABELLED}, labels=TRIAL | COLLECT),
    "a pod that says no": Case({COLLECTED}, labels={names.COLLECT_LABEL: "false"}),
}
# Where Katib's webhook is there too, a trial's pod is ours only where it has been handed over.
BESIDE_KATIB = {
    "a labelled pod": Case(set(), labels=TRIAL),
    "a labelled pod in an open namespace": Case(set(), labels=TRIAL, namespace=OPEN),
    "a job's pod in an open namespace": Case(set(), owners=("batch/v1/Job",), namespace=OPEN),
    "a labelled pod, handed over": Case({LABELLED}, labels=TRIAL, namespace=OPEN | HANDED_OVER),
    "a job's pod, handed over": Case(
        {JOBS}, owners=("batch/v1/Job",), namespace=OPEN | HANDED_OVER
    ),
    "a Trial's own pod, handed over": Case(
        {OWNED}, owners=("kubeflow.org/v1beta1/Trial",), namespace=OPEN | HANDED_OVER
    ),
    "a Trial's own pod in an open namespace": Case(
        set(), owners=("kubeflow.org/v1beta1/Trial",), namespace=OPEN
    ),
    "a pod without a trial": Case({COLLECTED}, labels=COLLECT),
}


def pod_of(case: Case) -> Object:
    metadata: dict[str, Any] = {"generateName": "p-"}
    if case.labels is not None:
        metadata["labels"] = case.labels
    if case.owners:
        metadata["ownerReferences"] = [
            {"apiVersion": api, "kind": kind, "name": "x", "uid": "1"}
            for api, _, kind in (owner.rpartition("/") for owner in case.owners)
        ]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def asked(configuration: Object, case: Case) -> set[str]:
    """Say which entries the API server would send the pod to."""
    pod = pod_of(case)
    namespace = {"kubernetes.io/metadata.name": case.namespace_name, **case.namespace}
    return {
        entry["name"]
        for entry in configuration["webhooks"]
        if selects(entry.get("namespaceSelector"), namespace)
        and selects(entry.get("objectSelector"), case.labels or {})
        and all(holds(c["expression"], object=pod) for c in entry.get("matchConditions", ()))
    }


@pytest.mark.parametrize("name", [name for name in OVERLAYS if name != "with-katib"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_asked_about_a_trials_pods_once(name: str, case: Case) -> None:
    configuration = named(overlay(name), "MutatingWebhookConfiguration", names.OWN_WEBHOOK)

    assert asked(configuration, case) == case.asked


@pytest.mark.parametrize("case", BESIDE_KATIB.values(), ids=BESIDE_KATIB)
def test_beside_katib_it_is_asked_where_pods_were_handed_over(case: Case) -> None:
    configuration = named(overlay("with-katib"), "MutatingWebhookConfiguration", names.OWN_WEBHOOK)

    assert asked(configuration, case) == case.asked


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_pod_that_another_entry_has_labelled_is_seen_by_the_last(name: str) -> None:
    """So our container is put in its place again where another webhook changes the pod later."""
    configuration = named(overlay(name), "MutatingWebhookConfiguration", names.OWN_WEBHOOK)

    assert [entry["name"] for entry in configuration["webhooks"]] == [
        OWNED,
        JOBS,
        COLLECTED,
        LABELLED,
    ]
    for entry in configuration["webhooks"]:
        assert entry["reinvocationPolicy"] == "IfNeeded"


@pytest.mark.parametrize("name", OVERLAYS)
def test_our_own_pods_start_without_it(name: str) -> None:
    rendered = overlay(name)
    configuration = named(rendered, "MutatingWebhookConfiguration", names.OWN_WEBHOOK)
    for o in rendered:
        if o["kind"] == "Deployment":
            labels = o["spec"]["template"]["metadata"]["labels"]
            case = Case(
                set(), labels, ("apps/v1/ReplicaSet",), OPEN | HANDED_OVER, names.CORE_NAMESPACE
            )
            assert asked(configuration, case) == set()


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_entry_calls_the_one_path(name: str) -> None:
    rendered = overlay(name)
    for entry in named(rendered, "MutatingWebhookConfiguration", names.OWN_WEBHOOK)["webhooks"]:
        assert entry["clientConfig"] == {
            "service": {
                "name": names.OWN_WEBHOOK,
                "namespace": names.CORE_NAMESPACE,
                "path": "/mutate-pod",
                "port": names.WEBHOOK_SERVICE_PORT,
            }
        }
        assert entry["admissionReviewVersions"] == ["v1"]
        # Events about refused pods, and none about a dry run.
        assert entry["sideEffects"] == "NoneOnDryRun"
        (rule,) = entry["rules"]
        assert (rule["apiGroups"], rule["resources"], rule["operations"]) == (
            [""],
            ["pods"],
            ["CREATE"],
        )


@pytest.mark.parametrize("name", OVERLAYS)
def test_only_pods_with_a_sign_of_a_trial_are_refused_while_the_webhook_is_away(name: str) -> None:
    """A Job of a stranger in a namespace with Katib's label starts its pods."""
    configuration = named(overlay(name), "MutatingWebhookConfiguration", names.OWN_WEBHOOK)

    policies = {entry["name"]: entry["failurePolicy"] for entry in configuration["webhooks"]}

    assert policies == {OWNED: "Fail", JOBS: "Ignore", COLLECTED: "Fail", LABELLED: "Fail"}
