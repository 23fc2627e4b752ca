"""Parses requests to the API server: path, method, and the scope of a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kube.cluster import Ref, Resource
from kube.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The target of a path: all objects of a kind, one object, its status or its log."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    status: bool = False
    log: bool = False

    @property
    def ref(self) -> Ref:
        """The object."""
        kind = self.resource.of
        return Ref(
            api_version=kind.api_version,
            kind=kind.kind,
            namespace=self.namespace,
            name=self.name,
        )


def split_path(path: str) -> tuple[str, list[str]]:
    """Split a path into the API version and the steps below it."""
    match path.strip("/").split("/"):
        case ["api", "v1", *steps]:
            return "v1", steps
        case ["apis", group, version, *steps]:
            return f"{group}/{version}", steps
        case _:
            raise NotFound("the server could not find the requested resource")


def target_of(resources: Iterable[Resource], version: str, steps: list[str]) -> Target:
    """Return the target of a path.

    Raises:
        NotFound: nothing is served there.
    """
    namespace = ""
    if steps[0] == "namespaces" and len(steps) > 2:  # noqa: PLR2004 - else it is a namespace
        namespace, steps = steps[1], steps[2:]
    for resource in resources:
        if (resource.api_version, resource.plural) == (version, steps[0]):
            return Target(
                resource=resource,
                namespace=namespace,
                name=steps[1] if len(steps) > 1 else "",
                status=steps[2:] == ["status"],
                log=steps[2:] == ["log"],
            )
    raise NotFound("the server could not find the requested resource")


def verb_of(method: str, query: Mapping[str, str], target: Target) -> str:
    """Return the verb of a request.

    Raises:
        Invalid: the method is not allowed there.
    """
    if method == "GET" and not target.name:
        return "watch" if query.get("watch") == "true" else "list"
    if method == "GET" and target.log:
        return "log"
    verbs = {"GET": "get", "POST": "create", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}
    if method not in verbs or (method == "POST") == bool(target.name):
        raise Invalid(f"{method} is not allowed here")
    return verbs[method]


def name_in(query: Mapping[str, str]) -> str:
    """Return the wanted name; empty: any."""
    return query.get("fieldSelector", "").removeprefix("metadata.name=")


def labels_in(query: Mapping[str, str]) -> dict[str, str | None]:
    """Return the wanted labels; a label without `=` may have any value."""
    pairs = (pair.partition("=") for pair in query.get("labelSelector", "").split(",") if pair)
    return {key: value if equals else None for key, equals, value in pairs}
