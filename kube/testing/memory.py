"""A cluster in memory, for tests.

It behaves like the API server: one version counter over all objects, conflicts, status
subresources, finalizers, watches from any version that is still remembered. It has no controllers:
a job creates no pod, and `collect_garbage` deletes objects without owners.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from datetime import UTC, datetime

from api.types import JsonObject
from kube.access import Access, Decision
from kube.cluster import (
    Change,
    Kind,
    Listing,
    Patch,
    Propagation,
    Ref,
    Resource,
    Scope,
)
from kube.errors import Invalid
from kube.resources import KNOWN
from kube.testing.history import History, bookmark, is_in, seen_as
from kube.testing.logs import ContainerLogs
from kube.testing.object_store import ObjectStore

ADMINISTRATORS = "system:masters"
"""The group that may do everything, as in Kubernetes."""
_HISTORY = 10_000
"""The default number of writes that are remembered."""


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryCluster:
    """The port over a dict."""

    def __init__(
        self,
        resources: Iterable[Resource] = KNOWN,
        *,
        namespaces: Iterable[str] = ("default",),
        now: Callable[[], datetime] = _now,
        history: int = _HISTORY,
    ) -> None:
        """Create the `namespaces`; `history` is the number of writes that are remembered."""
        self._history = History(history)
        self._store = ObjectStore(resources, self._history, now=now, written=self._wake_watchers)
        self.printed = ContainerLogs()
        self._written = asyncio.Event()
        self._ends = self._bookmarks = 0
        self._grants: set[tuple[str, str, str, str, str]] = set()
        for name in namespaces:
            self._store.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )

    @property
    def resources(self) -> dict[Kind, Resource]:
        """The resources that the cluster serves, by kind; a test may add one."""
        return self._store.resources

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object."""
        return self._store.get(ref)

    async def list(self, scope: Scope) -> Listing:
        """Read all objects of a scope."""
        return Listing(items=tuple(self._store.items(scope)), version=str(self._history.last))

    async def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Read all objects of a scope, in one page."""
        yield await self.list(scope)

    async def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        """Follow the changes after a version."""
        self._store.resource_of(scope.kind)
        seen = _number(since)
        ends, bookmarks = self._ends, self._bookmarks
        while ends == self._ends:
            written = self._written
            while (write := self._history.after(seen)) is not None:
                seen = write.version
                if is_in(write.ref, scope):
                    change = seen_as(write, scope.labels)
                    if change is not None:
                        yield change
            if bookmarks != self._bookmarks:
                bookmarks = self._bookmarks
                yield bookmark(scope.kind, max(seen, self._history.last))
            if written is self._written and ends == self._ends:
                await written.wait()

    async def pod_log(
        self, pod: Ref, container: str = "", *, follow: bool = False, previous: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Read the log of a container: what a test wrote into `printed`."""
        document = await self.get(pod)
        pieces = self.printed.read(document, container, follow=follow, previous=previous)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def create(self, document: JsonObject) -> JsonObject:
        """Create an object."""
        return self._store.create(document)

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        """Replace an object."""
        return self._store.replace(document, status=status)

    async def patch(self, ref: Ref, patch: Patch, *, status: bool = False) -> JsonObject:
        """Change an object."""
        return self._store.patch(ref, patch, status=status)

    async def delete(
        self, ref: Ref, *, uid: str = "", propagation: Propagation = Propagation.BACKGROUND
    ) -> None:
        """Delete an object. What it owns stays until `collect_garbage`, whatever `propagation`."""
        del propagation
        self._store.delete(ref, uid=uid)

    async def resource_of(self, kind: Kind) -> Resource:
        """Return the resource of a kind."""
        return self._store.resource_of(kind)

    def grant(
        self, who: str, verb: str, resource: str, *, group: str = "", namespace: str = ""
    ) -> None:
        """Give a right to the requester or the group `who`, in one namespace or in all."""
        self._grants.add((who, verb, group, resource, namespace))

    async def decide(self, access: Access) -> Decision:
        """Return whether a requester may do something: an administrator, or by a grant."""
        names = {access.requester.name, *access.requester.groups}
        granted = (
            (who, access.verb, access.group, access.resource, namespace) in self._grants
            for who in names
            for namespace in ("", access.namespace)
        )
        return Decision(allowed=ADMINISTRATORS in names or any(granted))

    async def close(self) -> None:
        """End all watches."""
        self.end_watches()

    def end_watches(self) -> None:
        """End all watches, as the API server does every few minutes."""
        self._ends += 1
        self._wake_watchers()

    def send_bookmarks(self) -> None:
        """Send a bookmark to all watchers, as the API server does every minute."""
        self._bookmarks += 1
        self._wake_watchers()

    def forget(self) -> None:
        """Forget all writes so far: a watch from an older version is Gone."""
        self._history.forget()

    async def collect_garbage(self) -> None:
        """Delete objects whose owners are all gone, as a cluster does after a while."""
        while orphans := self._store.orphans():
            for ref in orphans:
                await self.delete(ref)

    def _wake_watchers(self) -> None:
        self._written.set()
        self._written = asyncio.Event()


def _number(version: str) -> int:
    if not version.isascii() or not version.isdigit():
        raise Invalid(f"{version!r} is not a version; take one from a list")
    return int(version)
