"""Fencing: a cluster that accepts writes only while this replica leads."""

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


class FencedCluster:
    """A cluster that checks before each write whether this replica still leads.

    A replica that was paused for longer than its Lease lasts may not have noticed yet that another
    replica leads: its writes are refused here. A request that was sent before may still arrive.
    """

    def __init__(self, cluster: Cluster, allowed: Callable[[], bool]) -> None:
        """`allowed` returns whether this replica may write now."""
        self._cluster, self._allowed = cluster, allowed

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object."""
        return await self._cluster.get(ref)

    async def list(self, scope: Scope) -> Listing:
        """Read all objects of a scope."""
        return await self._cluster.list(scope)

    def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Read all objects of a scope, page by page."""
        return self._cluster.pages(scope)

    def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        """Follow the changes after a version."""
        return self._cluster.watch(scope, since=since)

    async def create(self, document: JsonObject) -> JsonObject:
        """Create an object."""
        self._check()
        return await self._cluster.create(document)

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        """Replace an object."""
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
        """Return the resource of a kind."""
        return await self._cluster.resource_of(kind)

    async def close(self) -> None:
        """Close connections."""
        await self._cluster.close()

    def _check(self) -> None:
        if not self._allowed():
            raise Unavailable("this replica no longer leads; the leader will do it")
