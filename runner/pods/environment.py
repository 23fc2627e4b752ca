"""The environment of a container: that of this machine, overridden by the pod's variables."""

from __future__ import annotations

from collections.abc import Mapping

from api.names import MLFLOW_TRACKING_URI_ENV
from runner.pods.expansion import expand
from runner.pods.pod_spec import Container, Pod
from webhook.pods.mlflow import proxy_exceptions

_LOOPBACK = "127.0.0.1"


def variables_of(container: Container, pod: Pod) -> dict[str, str]:
    """Return the pod's variables in order; a value may refer to earlier ones."""
    known: dict[str, str] = {}
    for variable in container.env:
        if variable.field_path:
            known[variable.name] = _field(variable.field_path, pod)
        else:
            known[variable.name] = expand(variable.value, known)
    return known


def environment_of(variables: Mapping[str, str], machine: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment; programs of this machine need its variables too."""
    whole = {**machine, **variables}
    if MLFLOW_TRACKING_URI_ENV in variables:
        whole |= proxy_exceptions(whole)
    return whole


def _field(path: str, pod: Pod) -> str:
    """Return a field of the pod; a missing label or annotation is ""."""
    kind, bracket, rest = path.partition("['")
    if bracket:
        texts = pod.labels if kind == "metadata.labels" else pod.annotations
        return texts.get(rest.removesuffix("']"), "")
    return {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "spec.nodeName": "localhost",
        "spec.serviceAccountName": "default",
        "status.hostIP": _LOOPBACK,
        "status.podIP": _LOOPBACK,
    }[path]
