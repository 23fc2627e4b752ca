"""The resources of the kinds that trialwatch uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kube.cluster import Resource

_NAMESPACED: Final = {
    "v1": (
        "configmaps ConfigMap",
        "events Event",
        "persistentvolumeclaims PersistentVolumeClaim +",
        "pods Pod +",
        "secrets Secret",
        "serviceaccounts ServiceAccount",
        "services Service +",
    ),
    "apps/v1": ("deployments Deployment +", "replicasets ReplicaSet +"),
    "batch/v1": ("cronjobs CronJob +", "jobs Job +"),
    "coordination.k8s.io/v1": ("leases Lease",),
    "events.k8s.io/v1": ("events Event",),
    "kubeflow.org/v1": ("pytorchjobs PyTorchJob +", "mpijobs MPIJob +", "tfjobs TFJob +"),
    "kubeflow.org/v1beta1": (
        "experiments Experiment +",
        "suggestions Suggestion +",
        "trials Trial +",
    ),
    "rbac.authorization.k8s.io/v1": ("roles Role", "rolebindings RoleBinding"),
}
_OF_THE_CLUSTER: Final = {
    "v1": ("namespaces Namespace +", "nodes Node +", "persistentvolumes PersistentVolume +"),
    "admissionregistration.k8s.io/v1": (
        "mutatingwebhookconfigurations MutatingWebhookConfiguration",
        "validatingwebhookconfigurations ValidatingWebhookConfiguration",
    ),
    "apiextensions.k8s.io/v1": ("customresourcedefinitions CustomResourceDefinition +",),
}


def _read(lines: Iterable[str], api_version: str, *, namespaced: bool) -> Iterable[Resource]:
    """Read `plural Kind`; a `+` means that the kind has a status subresource."""
    for line in lines:
        plural, kind, *apart = line.split()
        yield Resource(
            api_version=api_version,
            kind=kind,
            plural=plural,
            namespaced=namespaced,
            status=bool(apart),
        )


KNOWN: Final = tuple(
    resource
    for table, namespaced in ((_NAMESPACED, True), (_OF_THE_CLUSTER, False))
    for api_version, lines in table.items()
    for resource in _read(lines, api_version, namespaced=namespaced)
)
