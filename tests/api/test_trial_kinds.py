"""Which kinds trials may be: a list, of which nothing but group and kind counts."""

from __future__ import annotations

from typing import Any

import pytest

from api.installation.trial_kinds import (
    DEFAULT_KINDS,
    TrialKind,
    TrialKinds,
    allowed_kinds,
    kind_of,
    read_kind,
)
from api.objects.fields import Field


def document(api_version: object, kind: object) -> Any:  # noqa: ANN401 - any JSON
    return {"apiVersion": api_version, "kind": kind}


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("batch/v1", "Job"),
        ("kubeflow.org/v1", "PyTorchJob"),
        ("trainer.kubeflow.org/v1alpha1", "TrainJob"),
        ("trainer.kubeflow.org/v2", "TrainJob"),
        ("ray.io/v1", "RayJob"),
    ],
)
def test_jobs_are_allowed_without_settings_in_any_version(api_version: str, kind: str) -> None:
    assert TrialKinds().refusal(kind_of(document(api_version, kind))) == ""


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "PersistentVolume"),
        ("v1", "Pod"),
        ("v1", "Secret"),
        ("v1", "List"),
        ("v1", "Job"),
        ("batch", "Job"),
        ("batch/v1/x", "Job"),
        ("batch/v1", "job"),
        ("batch/v1", "CronJob"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
        ("batch/v1", "${trialParameters.kind}"),
        ("", ""),
        (None, 3),
    ],
)
def test_all_else_is_refused_with_the_setting_that_an_administrator_can_change(
    api_version: object, kind: object
) -> None:
    refusal = TrialKinds().refusal(kind_of(document(api_version, kind)))

    assert "are not allowed here, only" in refusal
    assert "Job.batch" in refusal
    assert "init.controller.trialResources of katib-config" in refusal


@pytest.mark.parametrize("nothing", [None, [], "Job", 3])
def test_what_is_not_a_document_is_of_no_allowed_kind(nothing: Any) -> None:  # noqa: ANN401
    assert TrialKinds().refusal(kind_of(nothing))


def test_a_kind_is_written_as_katib_writes_it() -> None:
    kind = read_kind("RayJob.v1.ray.io")

    assert kind == TrialKind(group="ray.io", version="v1", kind="RayJob")
    assert (kind.api_version, kind.short) == ("ray.io/v1", "RayJob.ray.io")
    assert read_kind("Pod.v1.") == TrialKind(group="", version="v1", kind="Pod")


@pytest.mark.parametrize("value", [None, []])
def test_an_absent_list_is_the_one_to_start_with(value: object) -> None:
    assert allowed_kinds(Field(value)).allowed == DEFAULT_KINDS


def test_a_list_stands_alone_and_what_is_not_a_kind_allows_nothing() -> None:
    kinds = allowed_kinds(Field(["Pod.v1.", "Job", 3, "RayJob.v1.ray.io"]))

    assert [kind.short for kind in kinds.allowed] == ["Pod.", "RayJob.ray.io"]
    assert kinds.refusal(kind_of(document("batch/v1", "Job")))
    assert allowed_kinds(Field("Job.v1.batch")).allowed == ()


@pytest.mark.parametrize(
    "listed",
    ["RoleBinding.v1.rbac.authorization.k8s.io", "Role.v1.rbac.authorization.k8s.io"],
)
def test_what_gives_rights_is_refused_even_where_an_administrator_lists_it(listed: str) -> None:
    kind = read_kind(listed)
    assert kind is not None

    assert "remove it from the list" in TrialKinds((kind,)).refusal(kind)
