"""Finds the resource of a kind: asks the API server once, and again for an unknown kind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable

from api.documents import mappings_at, text_at
from api.types import JsonObject
from kube.cluster import Kind, Resource
from kube.errors import NotFound, UnknownKind
from kube.paths import root_of

FORGET_SECONDS = 10.0
"""How long a kind counts as unknown: its definition may be installed at any time."""
_GROUP_VERSION = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}(/[a-z0-9][a-z0-9.-]{0,62})?")


class Discovery:
    """The resources of a cluster, cached."""

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[JsonObject]],
        clock: Callable[[], float],
        usual: Iterable[Resource] = (),
    ) -> None:
        """Make it.

        Args:
            fetch: reads a path of the API; raises NotFound.
            clock: seconds; never goes back.
            usual: resources for kinds that the server does not list.
        """
        self._usual = {resource.of: resource for resource in usual}
        self._fetch, self._clock = fetch, clock
        self._known: dict[str, dict[str, Resource]] = {}
        self._asked: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def resource_of(self, kind: Kind) -> Resource:
        """Return the resource of a kind.

        A usual kind has its usual resource, even if the server does not list it.

        Raises:
            UnknownKind: the cluster does not serve the kind.
        """
        resource = self._known.get(kind.api_version, {}).get(kind.kind)
        if resource is None and _GROUP_VERSION.fullmatch(kind.api_version):
            await self._learn(kind.api_version)
            resource = self._known.get(kind.api_version, {}).get(kind.kind)
        resource = resource or self._usual.get(kind)
        if resource is None:
            raise UnknownKind(
                f"the cluster does not serve the kind {kind};"
                " install what defines it, or correct the apiVersion"
            )
        return resource

    async def _learn(self, api_version: str) -> None:
        """Read the kinds of a version, unless that was done recently; once for all that wait."""
        async with self._locks.setdefault(api_version, asyncio.Lock()):
            asked = self._asked.get(api_version)
            if asked is not None and self._clock() - asked < FORGET_SECONDS:
                return
            try:
                document = await self._fetch(root_of(api_version))
            except NotFound:
                document = {}
            self._known[api_version] = _resources_in(document, api_version)
            self._asked[api_version] = self._clock()
            self._forget()

    def _forget(self) -> None:
        """Drop versions without kinds: invented names must not fill the memory."""
        now = self._clock()
        for version in [v for v, known in self._known.items() if not known]:
            if now - self._asked[version] >= FORGET_SECONDS:
                for table in (self._known, self._asked, self._locks):
                    table.pop(version, None)


def _resources_in(document: JsonObject, api_version: str) -> dict[str, Resource]:
    """Read an APIResourceList; parts such as `jobs/status` have the kind of the whole."""
    resources = (_resource(entry, api_version) for entry in mappings_at(document, "resources"))
    return {item.kind: item for item in resources if item is not None}


def _resource(entry: JsonObject, api_version: str) -> Resource | None:
    plural, kind = text_at(entry, "name"), text_at(entry, "kind")
    if not plural or not kind or "/" in plural:
        return None
    return Resource(
        api_version=api_version,
        kind=kind,
        plural=plural,
        namespaced=bool(entry.get("namespaced")),
    )
