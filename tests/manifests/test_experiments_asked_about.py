"""Which requests about experiments reach the webhook; beside Katib none does."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from api import names
from tests.manifests.crd_admission import holds
from tests.manifests.kustomize import OVERLAYS
from tests.manifests.rendered_objects import Object, named, of_kind, overlay
from tests.manifests.user_mistakes import SEED
from webhook.server.experiment_handler import MUTATE, VALIDATE
from webhook.server.trial_handler import PATH
from webhook.server.uninstall_handler import PATH as UNINSTALL

STANDALONE = [name for name in OVERLAYS if name != "with-katib"]
PATHS = {"MutatingWebhookConfiguration": MUTATE, "ValidatingWebhookConfiguration": VALIDATE}
KINDS = pytest.mark.parametrize("kind", PATHS)


def entry_of(name: str, kind: str) -> Object:
    entry = named(overlay(name), kind, names.OWN_EXPERIMENT_WEBHOOKS)["webhooks"][0]
    return dict(entry)


def trial_entry(name: str) -> Object:
    """Return the entry of trials; it is beside the second one of experiments."""
    rendered = overlay(name)
    (_, entry, _) = named(
        rendered, "ValidatingWebhookConfiguration", names.OWN_EXPERIMENT_WEBHOOKS
    )["webhooks"]
    return dict(entry)


def crd_entry(name: str) -> Object:
    """Return the entry of the CRDs' deletion; it is the last one."""
    configuration = named(
        overlay(name), "ValidatingWebhookConfiguration", names.OWN_EXPERIMENT_WEBHOOKS
    )
    return dict(configuration["webhooks"][-1])


def asked(entry: Object, new: Object, old: Object | None) -> bool:
    """Say whether the API server would ask about a change."""
    return all(
        holds(one["expression"], object=new, oldObject=old) for one in entry["matchConditions"]
    )


def changed(*way: str, to: Any) -> Object:  # noqa: ANN401 - JSON
    document = copy.deepcopy(SEED)
    holder: Any = document
    for name in way[:-1]:
        holder = holder[name]
    holder[way[-1]] = to
    return document


@KINDS
@pytest.mark.parametrize("name", STANDALONE)
def test_experiments_are_asked_about_as_they_come_and_change(name: str, kind: str) -> None:
    entry = entry_of(name, kind)

    assert asked(entry, SEED, None)
    assert asked(entry, {"metadata": {}}, None)
    assert asked(entry, changed("spec", "maxTrialCount", to=40), SEED)
    assert asked(entry, {"metadata": {}}, SEED)
    assert asked(entry, SEED, {"metadata": {}})


@KINDS
@pytest.mark.parametrize("name", STANDALONE)
def test_what_leaves_the_spec_alone_goes_through_whether_the_webhook_is_there_or_not(
    name: str, kind: str
) -> None:
    entry = entry_of(name, kind)

    assert not asked(entry, changed("metadata", "finalizers", to=[]), SEED)
    assert not asked(entry, changed("metadata", "labels", to={"a": "b"}), SEED)
    assert not asked(entry, changed("status", to={"trials": 3}), SEED)
    assert not asked(entry, {"metadata": {}}, {"metadata": {"labels": {}}})
    going = changed("metadata", "deletionTimestamp", to="2026-01-01T00:00:00Z")
    assert not asked(entry, {**going, "spec": {}}, SEED)


@KINDS
@pytest.mark.parametrize("name", STANDALONE)
def test_each_calls_its_path_and_refuses_where_nobody_answers(name: str, kind: str) -> None:
    entry = entry_of(name, kind)

    assert entry["clientConfig"] == {
        "service": {
            "name": names.OWN_WEBHOOK,
            "namespace": names.CORE_NAMESPACE,
            "path": PATHS[kind],
            "port": names.WEBHOOK_SERVICE_PORT,
        }
    }
    assert entry["failurePolicy"] == "Fail"
    assert entry["sideEffects"] == "None"
    assert entry["admissionReviewVersions"] == ["v1"]
    assert entry["matchPolicy"] == "Equivalent"
    (rule,) = entry["rules"]
    assert rule == {
        "apiGroups": ["kubeflow.org"],
        "apiVersions": ["v1beta1"],
        "resources": ["experiments"],
        "operations": ["CREATE", "UPDATE"],
        "scope": "Namespaced",
    }


@KINDS
@pytest.mark.parametrize("name", STANDALONE)
def test_what_an_author_may_create_is_changed_by_nobody_unseen(name: str, kind: str) -> None:
    entry = entry_of(name, kind)
    ours = {names.AUTHOR_ANNOTATION: "Job.batch"}
    admitted = changed("metadata", "annotations", to=ours)
    forged = changed("metadata", "annotations", to={names.AUTHOR_ANNOTATION: "RoleBinding.rbac"})

    assert asked(entry, forged, admitted)
    assert asked(entry, SEED, admitted)
    assert asked(entry, admitted, SEED)
    assert not asked(entry, admitted, admitted)
    assert not asked(entry, changed("metadata", "annotations", to={**ours, "a": "b"}), admitted)


@pytest.mark.parametrize("name", STANDALONE)
def test_trials_are_asked_about_as_they_come_and_as_their_spec_changes(name: str) -> None:
    entry = trial_entry(name)
    trial = {"metadata": {}, "spec": {"runSpec": {"kind": "Job"}}}

    assert asked(entry, trial, None)
    assert asked(entry, {**trial, "spec": {"runSpec": {"kind": "Secret"}}}, trial)
    assert not asked(entry, {**trial, "metadata": {"finalizers": ["a/b"]}}, trial)
    assert not asked(entry, {**trial, "status": {}}, trial)
    going = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert not asked(entry, going, trial)
    assert entry["clientConfig"]["service"]["path"] == PATH
    assert (entry["failurePolicy"], entry["matchPolicy"]) == ("Fail", "Equivalent")
    (rule,) = entry["rules"]
    assert (rule["resources"], rule["operations"]) == (["trials"], ["CREATE", "UPDATE"])


@pytest.mark.parametrize("name", STANDALONE)
def test_only_the_deletion_of_the_crds_with_finalizers_is_asked_about_and_never_refused(
    name: str,
) -> None:
    entry = crd_entry(name)
    crds = [crd["metadata"]["name"] for crd in of_kind(overlay(name), "CustomResourceDefinition")]

    asked_about = [crd for crd in crds if asked(entry, {}, {"metadata": {"name": crd}})]

    assert sorted(asked_about) == ["experiments.kubeflow.org", "trials.kubeflow.org"]
    assert not asked(entry, {}, {"metadata": {"name": "widgets.example.org"}})
    assert not asked(entry, {}, None)
    assert entry["clientConfig"]["service"]["path"] == UNINSTALL
    assert (entry["failurePolicy"], entry["sideEffects"]) == ("Ignore", "NoneOnDryRun")
    (rule,) = entry["rules"]
    assert (rule["resources"], rule["operations"]) == (["customresourcedefinitions"], ["DELETE"])


def test_both_are_asked_about_the_same() -> None:
    first, second = (entry_of("standalone", kind)["matchConditions"] for kind in PATHS)

    assert first == second


def test_beside_katib_its_own_webhook_is_asked() -> None:
    rendered = overlay("with-katib")

    assert of_kind(rendered, "ValidatingWebhookConfiguration") == []
    (only,) = of_kind(rendered, "MutatingWebhookConfiguration")
    assert only["metadata"]["name"] == names.OWN_WEBHOOK


def test_cert_manager_says_who_is_trusted() -> None:
    rendered = overlay("cert-manager")

    for kind in PATHS:
        for one in of_kind(rendered, kind):
            certificate = one["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]
            assert certificate == f"{names.CORE_NAMESPACE}/{names.OWN_WEBHOOK}"
