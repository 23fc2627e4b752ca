"""The kustomizations of a migration, as kustomize renders them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.manifests.kustomize import MANIFESTS, objects
from tests.manifests.rendered_objects import of_kind
from tests.trialwatch.migration.katib_cluster import IMAGES
from trialwatch.migration.kustomizations import kustomizations

PASSWORD = {"secretKeyRef": {"name": "katib-mysql-secrets", "key": "MYSQL_ROOT_PASSWORD"}}
CONTAINER: dict[str, Any] = {
    "env": [
        {"name": "DB_NAME", "value": "mysql"},
        {"name": "DB_PASSWORD", "valueFrom": PASSWORD},
    ],
    "envFrom": [{"secretRef": {"name": "more"}}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    manifests = os.path.relpath(MANIFESTS, tmp_path / "store")
    texts = kustomizations(
        manifests=manifests,
        namespace="katib-system",
        container=CONTAINER,
        images=IMAGES,
    )
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


def container_of(rendered: tuple[Any, ...]) -> dict[str, Any]:
    (deployment,) = of_kind(rendered, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert deployment["metadata"]["namespace"] == "katib-system"
    found: dict[str, Any] = container
    return found


def test_the_store_has_the_variables_of_katibs_manager_and_no_volume_of_its_own(
    folder: Path,
) -> None:
    rendered = objects(folder / "store")

    container = container_of(rendered)
    assert container["env"] == CONTAINER["env"]
    assert container["envFrom"] == CONTAINER["envFrom"]
    assert container["image"] == "registry.example/trialwatch/dbmanager:0.1.0"
    (deployment,) = of_kind(rendered, "Deployment")
    assert deployment["metadata"]["name"] == "trialwatch-db-manager"
    assert [one["name"] for one in deployment["spec"]["template"]["spec"]["volumes"]] == ["tmp"]
    assert not of_kind(rendered, "PersistentVolumeClaim")


def test_what_katib_owns_is_in_no_folder_so_that_its_deletion_keeps_katib(folder: Path) -> None:
    deletable = ("store", "webhook", "search", "controller")
    rendered = [one for name in deletable for one in objects(folder / name)]
    found = {(one["kind"], one["metadata"]["name"]) for one in rendered}

    katibs = {
        ("Service", "katib-db-manager"),
        ("Deployment", "katib-db-manager"),
        ("Deployment", "katib-controller"),
        ("ConfigMap", "katib-config"),
        ("Namespace", "katib-system"),
        ("ClusterRole", "kubeflow-katib-edit"),
    }
    assert not found & katibs
    assert "CustomResourceDefinition" not in {kind for kind, _ in found}


@pytest.mark.parametrize("name", ["store", "search", "controller"])
def test_no_program_waits_for_a_certificate_or_sends_a_token(folder: Path, name: str) -> None:
    rendered = objects(folder / name)

    arguments = container_of(rendered)["args"]
    assert not [one for one in arguments if "-ca=" in one or "token" in one or "tls" in one]
    assert not [one for one in arguments if "0.0.0.0" in one], "IPv6 is served too"
    (deployment,) = of_kind(rendered, "Deployment")
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    assert [one["name"] for one in volumes] == ["tmp"]


def test_the_controller_may_end_the_services_that_katib_has_deployed(folder: Path) -> None:
    roles = [
        one["metadata"]["name"] for one in of_kind(objects(folder / "controller"), "ClusterRole")
    ]

    assert "trialwatch-controller-searches" in roles


def test_the_webhook_takes_no_pod_before_it_is_ready(folder: Path) -> None:
    (beside,) = of_kind(objects(folder / "webhook-beside"), "MutatingWebhookConfiguration")
    (after,) = of_kind(objects(folder / "webhook"), "MutatingWebhookConfiguration")

    def labels(configuration: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = configuration["webhooks"][0]["namespaceSelector"]["matchLabels"]
        return found

    assert labels(beside) == {**labels(after), "trialwatch.dev/injection": "enabled"}


def test_one_kustomization_has_all_steps(folder: Path) -> None:
    names = {one["metadata"]["name"] for one in of_kind(objects(folder), "Deployment")}

    assert names == {
        "trialwatch-db-manager",
        "trialwatch-webhook",
        "trialwatch-suggestion",
        "trialwatch-controller",
    }
