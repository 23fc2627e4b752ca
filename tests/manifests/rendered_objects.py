"""Finds rendered objects by kind, name and label, as a cluster does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.manifests.kustomize import MANIFESTS, objects

Object = dict[str, Any]


def overlay(name: str) -> tuple[Object, ...]:
    """Return the objects of an overlay."""
    return objects(MANIFESTS / "overlays" / name)


def of_kind(rendered: Iterable[Object], kind: str) -> list[Object]:
    """Return the objects of a kind."""
    return [o for o in rendered if o["kind"] == kind]


def named(rendered: Iterable[Object], kind: str, name: str) -> Object:
    """Return the one object of this kind and name."""
    (found,) = (o for o in of_kind(rendered, kind) if o["metadata"]["name"] == name)
    return found


def pods(rendered: Iterable[Object]) -> dict[str, Object]:
    """Return the pod templates, by the name of their Deployment."""
    return {o["metadata"]["name"]: o["spec"]["template"] for o in of_kind(rendered, "Deployment")}


def containers(rendered: Iterable[Object]) -> dict[str, Object]:
    """Return the one container of each pod."""
    found = {}
    for name, pod in pods(rendered).items():
        (found[name],) = pod["spec"]["containers"]
    return found


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Return whether a label selector matches an object with these labels."""
    selector = selector or {}
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(_expression(one, labels) for one in selector.get("matchExpressions", ()))


def _expression(one: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    there, value = one["key"] in labels, labels.get(one["key"])
    match one["operator"]:
        case "In":
            return value in one["values"]
        case "NotIn":
            return value not in one["values"]
        case "Exists":
            return there
        case "DoesNotExist":
            return not there
        case _:
            raise AssertionError(one)
