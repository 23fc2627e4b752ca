"""The paths of objects in the API."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from api.faults import quoted
from kube.cluster import Resource
from kube.errors import NotFound

_LONGEST_NAME: Final = 253


def path_of(resource: Resource, namespace: str = "", name: str = "", part: str = "") -> str:
    """Return the path of all objects of a kind, of one object, or of a part of it (`status`).

    Raises:
        NotFound: no object can have this name.
    """
    steps = [root_of(resource.api_version)]
    if resource.namespaced and namespace:
        steps += ["namespaces", _step(namespace)]
    steps.append(resource.plural)
    if name:
        steps.append(_step(name))
    if part:
        steps.append(part)
    return "/".join(steps)


def root_of(api_version: str) -> str:
    """Return the path above all kinds of an API version."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _step(name: str) -> str:
    # Kubernetes has this rule for each name that is a step of a path.
    if name in {".", ".."} or "/" in name or "%" in name or len(name) > _LONGEST_NAME:
        raise NotFound(f"no object can have the name {quoted(name)}; correct it")
    return quote(name, safe="")
