"""The objects that are deployed for an experiment whose algorithm has an image in katib-config.

All are named `<suggestion>-<algorithm>`, as Katib names them, so Katib's images and users find what
they expect. All but the volume are owned by the Suggestion.

| object | created |
|---|---|
| PersistentVolume | with policy FromVolume, if katib-config has a spec for it |
| PersistentVolumeClaim | with policy FromVolume |
| Service | always |
| ServiceAccount, Role, RoleBinding | if early stopping is deployed and no other account is named |
| Deployment | always; last, so that its existence proves that of the others |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from api import names
from api.documents import mappings_at
from api.installation.service_addresses import deployed_name
from api.installation.services import (
    SUGGESTION_PORT_NAME,
    SearchEntry,
    ServiceConfig,
    StoppingEntry,
)
from api.objects.metadata import API_VERSION
from api.types import Json, JsonObject, ResumePolicy, Suggestion

_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""An annotation of kubectl about the experiment. The objects made for it must not have it."""
_STOPPING_PORT_NAME: Final = "earlystop-api"
_STOPPING_RIGHTS: Final = {"trials": ("get", "list", "watch"), "trials/status": ("patch", "update")}
_RBAC: Final = "rbac.authorization.k8s.io"


def deployed_documents(suggestion: Suggestion, config: ServiceConfig) -> tuple[JsonObject, ...]:
    """Return the objects to create, in order; none if neither algorithm has an image."""
    search, stopping = _search(suggestion, config), _stopping(suggestion, config)
    if search is None and stopping is None:
        return ()
    return tuple(_documents(suggestion, search, stopping, probes=config.grpc_probes))


def _search(suggestion: Suggestion, config: ServiceConfig) -> SearchEntry | None:
    algorithm = suggestion.spec.algorithm
    entry = config.suggestions.get(algorithm.name) if algorithm else None
    return None if entry is None or entry.endpoint else entry


def _stopping(suggestion: Suggestion, config: ServiceConfig) -> StoppingEntry | None:
    spec = suggestion.spec.early_stopping
    entry = config.early_stoppings.get(spec.name) if spec else None
    return None if entry is None or entry.endpoint else entry


def _documents(
    suggestion: Suggestion,
    search: SearchEntry | None,
    stopping: StoppingEntry | None,
    *,
    probes: bool,
) -> Iterator[JsonObject]:
    name = deployed_name(suggestion)
    has_volume = search is not None and suggestion.spec.resume_policy is ResumePolicy.FROM_VOLUME
    if search is not None and has_volume:
        if search.volume:
            yield _volume(suggestion, search)
        claim = _head(suggestion, "v1", "PersistentVolumeClaim")
        yield {**claim, "spec": search.claim}
    account = search.service_account if search else ""
    containers = []
    if search is not None:
        containers.append(_search_container(search, probes=probes, has_volume=has_volume))
    if stopping is not None:
        containers.append(_stopping_container(stopping))
    yield _service(suggestion, containers)
    if stopping is not None and not account:
        account = name
        yield from _rights(suggestion)
    pod: dict[str, Any] = {"containers": containers}
    if account:
        pod["serviceAccountName"] = account
    if search is not None and has_volume:
        pod |= _with_volume(search, name)
    yield _deployment(suggestion, pod)


def labels_of_deployed(suggestion: Suggestion) -> dict[str, str]:
    """Return the labels by which users and the Service find the pods."""
    name = suggestion.metadata.name
    return {
        **suggestion.metadata.labels,
        names.DEPLOYMENT_LABEL: deployed_name(suggestion),
        names.EXPERIMENT_LABEL: name,
        names.SUGGESTION_LABEL: name,
        "sidecar.istio.io/inject": "false",
    }


def _head(suggestion: Suggestion, api_version: str, kind: str) -> dict[str, Any]:
    meta = suggestion.metadata
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": deployed_name(suggestion),
            "namespace": meta.namespace,
            "labels": labels_of_deployed(suggestion),
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": "Suggestion",
                    "name": meta.name,
                    "uid": meta.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
    }


def _volume(suggestion: Suggestion, search: SearchEntry) -> JsonObject:
    """Return a volume. It has no namespace, so its name contains one, and it has no owner."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": f"{deployed_name(suggestion)}-{suggestion.metadata.namespace}",
            "labels": dict(search.volume_labels),
        },
        "spec": search.volume,
    }


def _service(suggestion: Suggestion, containers: list[JsonObject]) -> JsonObject:
    port_names = {SUGGESTION_PORT_NAME, _STOPPING_PORT_NAME}
    ports: list[Json] = [
        {"name": port["name"], "port": port["containerPort"]}
        for container in containers
        for port in mappings_at(container, "ports")
        if port.get("name") in port_names
    ]
    selector: Json = dict(labels_of_deployed(suggestion))
    spec: JsonObject = {"type": "ClusterIP", "selector": selector, "ports": ports}
    return {**_head(suggestion, "v1", "Service"), "spec": spec}


def _rights(suggestion: Suggestion) -> Iterator[JsonObject]:
    """Return an account with the right to mark trials as stopped early.

    Katib grants every right to trials. Kubernetes lets an account grant only rights that it has, so
    the controller would need every right itself, in all namespaces.
    """
    name, namespace = deployed_name(suggestion), suggestion.metadata.namespace
    yield _head(suggestion, "v1", "ServiceAccount")
    rules: list[Json] = [
        {"apiGroups": ["kubeflow.org"], "resources": [resource], "verbs": list(verbs)}
        for resource, verbs in _STOPPING_RIGHTS.items()
    ]
    yield {**_head(suggestion, f"{_RBAC}/v1", "Role"), "rules": rules}
    yield {
        **_head(suggestion, f"{_RBAC}/v1", "RoleBinding"),
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }


def _with_volume(search: SearchEntry, claim: str) -> JsonObject:
    """Return the fields of a pod that has the volume of a claim."""
    source: Json = {"claimName": claim}
    volumes: Json = [{"name": names.SUGGESTION_VOLUME, "persistentVolumeClaim": source}]
    if search.fs_group is None:
        return {"volumes": volumes}
    return {"volumes": volumes, "securityContext": {"fsGroup": search.fs_group}}


def _deployment(suggestion: Suggestion, pod: JsonObject) -> JsonObject:
    labels = labels_of_deployed(suggestion)
    given = suggestion.metadata.annotations.items()
    annotations = {key: text for key, text in given if key != _APPLIED}
    head = _head(suggestion, "apps/v1", "Deployment")
    head["metadata"]["labels"] = dict(suggestion.metadata.labels)
    head["metadata"]["annotations"] = annotations
    template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod}
    return {**head, "spec": {"selector": {"matchLabels": labels}, "template": template}}


def _search_container(search: SearchEntry, *, probes: bool, has_volume: bool) -> JsonObject:
    container: dict[str, Any] = {**search.container}
    container["name"] = container.get("name") or "suggestion"
    port = {"name": SUGGESTION_PORT_NAME, "containerPort": names.SUGGESTION_PORT}
    container["ports"] = [*(container.get("ports") or ()), port]
    if probes:
        for kind, pace in _PROBES.items():
            container.setdefault(kind, {"grpc": _GRPC, **pace})
    if has_volume:
        mounts = container.get("volumeMounts") or []
        if all(mount.get("name") != names.SUGGESTION_VOLUME for mount in mounts):
            mount = {"name": names.SUGGESTION_VOLUME, "mountPath": search.mount_path}
            container["volumeMounts"] = [*mounts, mount]
    return container


_GRPC: Final = {"port": names.SUGGESTION_PORT, "service": names.SUGGESTION_HEALTH_SERVICE}
_PROBES: Final = {
    "readinessProbe": {"initialDelaySeconds": 10, "periodSeconds": 10},
    "livenessProbe": {"initialDelaySeconds": 10, "periodSeconds": 120, "failureThreshold": 12},
}
"""Times in seconds, as in Katib."""


def _stopping_container(stopping: StoppingEntry) -> JsonObject:
    port: Json = {"name": _STOPPING_PORT_NAME, "containerPort": names.EARLY_STOPPING_PORT}
    return {**stopping.container, "name": "early-stopping", "ports": [port]}
