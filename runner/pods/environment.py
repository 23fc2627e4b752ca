"""The environment of a container: this machine's own, under what the pod says."""

from __future__ import annotations

from collections.abc import Mapping

from runner.pods.documents import Container, Pod
from runner.pods.expansion import expand

_LOOPBACK = "127.0.0.1"


def variables_of(container: Container, pod: Pod) -> dict[str, str]:
    """Return what the pod says, in its order; a value may use those before it."""
    known: dict[str, str] = {}
    for variable in container.env:
        if variable.field_path:
            known[variable.name] = _field(variable.field_path, pod)
        else:
            known[variable.name] = expand(variable.value, known)
    return known


def environment_of(variables: Mapping[str, str], machine: Mapping[str, str]) -> dict[str, str]:
    """Return the whole: programs and libraries are this machine's, so its variables count too."""
    return {**machine, **variables}


def _field(path: str, pod: Pod) -> str:
    """Return a field of the pod; one that is a label or annotation may be missing, and is empty."""
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
