"""A cluster that is written to only while that is ours to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from api.errors import Unavailable
from api.types import JsonObject
from kube.cluster import (
    Change,
    Cluster,
    Kind,
    Listing,
    Patch,
    Propagation,
    Ref,
    Resource,
    Scope,
)


class Fenced:
    """Another cluster; each write first asks whether it may be.

    It keeps out what a replica would still write that was stopped, or starved, for longer than its
    Lease lasts, and has not yet noticed. A request that was sent before may still arrive later.
    """

    def __init__(self, cluster: Cluster, allowed: Callable[[], bool]) -> None:
        """`allowed` says whether to write at this moment."""
        self._cluster, self._allowed = cluster, allowed

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object."""
        return await self._cluster.get(ref)

    async def list(self, scope: Scope) -> Listing:
        """Read all objects of a kind."""
        return await self._cluster.list(scope)

    def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Read all objects of a kind, part by part."""
        return self._cluster.pages(scope)

    def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        """Follow what happens after a version."""
        return self._cluster.watch(scope, since=since)

    async def create(self, document: JsonObject) -> JsonObject:
        """Create an object."""
        self._check()
        return await self._cluster.create(document)

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        """Put a document in the place of the one there."""
        self._check()
        return await self._cluster.replace(document, status=status)

    async def patch(self, ref: Ref, patch: Patch, *, status: bool = False) -> JsonObject:
        """Change an object."""
        self._check()
        return await self._cluster.patch(ref, patch, status=status)

    async def delete(
        self, ref: Ref, *, uid: str = "", propagation: Propagation = Propagation.BACKGROUND
    ) -> None:
        """Delete an object."""
        self._check()
        await self._cluster.delete(ref, uid=uid, propagation=propagation)

    async def resource_of(self, kind: Kind) -> Resource:
        """Say where a kind is in the API."""
        return await self._cluster.resource_of(kind)

    async def close(self) -> None:
        """Let go of connections."""
        await self._cluster.close()

    def _check(self) -> None:
        if not self._allowed():
            raise Unavailable("this replica does not lead any more; another one will do it")
