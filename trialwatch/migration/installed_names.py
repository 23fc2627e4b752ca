"""The names of Katib's installation, and of what stands in its place."""

from __future__ import annotations

from typing import Final

from kube.cluster import Ref

KATIB_CONTROLLER: Final = "katib-controller"
KATIB_DB_MANAGER: Final = "katib-db-manager"
KATIB_UI: Final = "katib-ui"
KATIB_WEBHOOKS: Final = "katib.kubeflow.org"
"""Katib's mutating and validating webhook configurations both have this name."""
DB_MANAGER: Final = "trialwatch-db-manager"
"""Not `katib-db-manager`, as in the overlays: Katib's Deployment stays under that name."""
WEBHOOK: Final = "trialwatch-webhook"
SUGGESTION: Final = "trialwatch-suggestion"
CONTROLLER: Final = "trialwatch-controller"
SAVED: Final = "trialwatch-migration"
"""The ConfigMap with what was there before."""
DEPLOYMENTS: Final = (
    KATIB_CONTROLLER,
    KATIB_DB_MANAGER,
    KATIB_UI,
    DB_MANAGER,
    WEBHOOK,
    SUGGESTION,
    CONTROLLER,
)
CRDS: Final = ("experiments.kubeflow.org", "suggestions.kubeflow.org", "trials.kubeflow.org")
_ADMISSION: Final = "admissionregistration.k8s.io/v1"
MUTATING: Final = Ref(
    api_version=_ADMISSION, kind="MutatingWebhookConfiguration", name=KATIB_WEBHOOKS
)
VALIDATING: Final = Ref(
    api_version=_ADMISSION, kind="ValidatingWebhookConfiguration", name=KATIB_WEBHOOKS
)
OWN_MUTATING: Final = Ref(api_version=_ADMISSION, kind="MutatingWebhookConfiguration", name=WEBHOOK)


def deployment(namespace: str, name: str) -> Ref:
    """Return the reference of a Deployment."""
    return Ref(api_version="apps/v1", kind="Deployment", namespace=namespace, name=name)


def config_map(namespace: str, name: str) -> Ref:
    """Return the reference of a ConfigMap."""
    return Ref(api_version="v1", kind="ConfigMap", namespace=namespace, name=name)


def service(namespace: str) -> Ref:
    """Return the reference of the Service at which all programs call the DB manager."""
    return Ref(api_version="v1", kind="Service", namespace=namespace, name=KATIB_DB_MANAGER)


def crd(name: str) -> Ref:
    """Return the reference of a CustomResourceDefinition."""
    return Ref(api_version="apiextensions.k8s.io/v1", kind="CustomResourceDefinition", name=name)
