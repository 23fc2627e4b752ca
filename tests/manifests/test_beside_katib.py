"""Katib's webhook ignores the namespaces that are handed over, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from api import names
from tests.manifests.kustomize import MANIFESTS, objects
from tests.manifests.rendered_objects import selects

# As Katib registers its webhooks.
KATIBS: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": names.WEBHOOK_CONFIGURATION},
    "webhooks": [
        {
            "name": "defaulter.experiment.katib.kubeflow.org",
            "clientConfig": {"service": {"name": "katib-controller", "path": "/mutate-experiment"}},
        },
        {
            "name": "mutator.pod.katib.kubeflow.org",
            "clientConfig": {"service": {"name": "katib-controller", "path": "/mutate-pod"}},
            "namespaceSelector": {"matchLabels": {names.INJECTION_LABEL: names.INJECTION_ENABLED}},
        },
    ],
}
PATCH = MANIFESTS / "overlays" / "with-katib" / "katib-steps-aside.yaml"


def patched(folder: Path) -> dict[str, Any]:
    """Apply the patch as `kubectl patch` and kustomize do: a strategic merge."""
    (folder / "katib.yaml").write_text(yaml.safe_dump(KATIBS))
    (folder / "patch.yaml").write_text(PATCH.read_text())
    kustomization = {"resources": ["katib.yaml"], "patches": [{"path": "patch.yaml"}]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    (configuration,) = objects(folder)
    # A patched entry is moved to the front, which means nothing here.
    configuration["webhooks"].sort(key=lambda entry: entry["name"])
    return dict(configuration)


def test_a_namespace_has_one_of_the_two_webhooks(tmp_path: Path) -> None:
    (_, pods) = patched(tmp_path)["webhooks"]
    opened = {names.INJECTION_LABEL: names.INJECTION_ENABLED}
    handed_over = opened | {names.HANDOVER_LABEL: names.INJECTION_ENABLED}

    assert selects(pods["namespaceSelector"], opened)
    assert not selects(pods["namespaceSelector"], handed_over)
    assert not selects(pods["namespaceSelector"], {})


def test_all_else_stays_as_it_was(tmp_path: Path) -> None:
    changed = patched(tmp_path)
    pods = changed["webhooks"][1]

    del pods["namespaceSelector"]["matchExpressions"]
    assert changed == KATIBS


def test_nothing_of_katibs_is_replaced() -> None:
    rendered = objects(MANIFESTS / "overlays" / "with-katib")
    katibs = {
        *(("ConfigMap", names.CONFIG_MAP), ("Secret", names.WEBHOOK_SECRET)),
        *(("Service", names.CONTROLLER_SERVICE), ("Service", names.DB_MANAGER_SERVICE)),
        *(("Deployment", names.CONTROLLER_SERVICE), ("Deployment", names.DB_MANAGER_SERVICE)),
        ("MutatingWebhookConfiguration", names.WEBHOOK_CONFIGURATION),
        ("Namespace", names.CORE_NAMESPACE),
    }

    assert not katibs & {(o["kind"], o["metadata"]["name"]) for o in rendered}
    assert "CustomResourceDefinition" not in {o["kind"] for o in rendered}
