"""A cluster in memory, for tests.

It behaves like the API server: one version counter over all objects, conflicts, status
subresources, finalizers, watches from any version that is still remembered. It has no controllers:
a job creates no pod, and `collect_garbage` deletes objects without owners.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

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
    ref_of,
    uid_of,
    version_of,
)
from kube.errors import AlreadyExists, Conflict, Invalid, NotFound, UnknownKind
from kube.resources import KNOWN
from kube.testing.documents import Document, check_name, finalizers_of, patched, renewed
from kube.testing.history import History, Write, bookmark, is_in, matches, seen_as
from kube.testing.logs import ContainerLogs

ADMINISTRATORS = "system:masters"
"""The group that may do everything, as in Kubernetes."""
_HISTORY = 10_000
"""The default number of writes that are remembered."""
_SUFFIX = 5
"""Characters that the cluster adds to a generateName."""


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
        self.resources = {resource.of: resource for resource in resources}
        self._now = now
        self._texts: dict[Ref, str] = {}
        self._version = itertools.count(1)
        self._history = History(history)
        self.printed = ContainerLogs()
        self._written = asyncio.Event()
        self._ends = self._bookmarks = 0
        self._grants: set[tuple[str, str, str, str, str]] = set()
        for name in namespaces:
            self._create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object."""
        self._resource(ref.of)
        return self._read(ref)

    async def list(self, scope: Scope) -> Listing:
        """Read all objects of a scope."""
        self._resource(scope.kind)
        texts = (self._texts[ref] for ref in self._refs(scope))
        documents = (_load(text) for text in texts)
        items = tuple(item for item in documents if matches(item, scope.labels))
        return Listing(items=items, version=str(self._history.last))

    async def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Read all objects of a scope, in one page."""
        yield await self.list(scope)

    async def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        """Follow the changes after a version."""
        self._resource(scope.kind)
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
        return self._create(document)

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        """Replace an object."""
        ref = ref_of(document)
        resource = self._resource(ref.of)
        before = self._read(ref)
        if not version_of(document):
            raise Invalid(f"replace {ref}: metadata.resourceVersion is missing; read it first")
        return self._write(resource, ref, before, _load(_dump(document)), status=status)

    async def patch(self, ref: Ref, patch: Patch, *, status: bool = False) -> JsonObject:
        """Change an object."""
        resource = self._resource(ref.of)
        before = self._read(ref)
        after = patched(self._read(ref), patch, about=f"patch {ref}")
        if ref_of(after) != ref or uid_of(after) != uid_of(before):
            raise Invalid(f"patch {ref}: its kind, name and uid cannot be changed")
        return self._write(resource, ref, before, after, status=status)

    async def delete(
        self, ref: Ref, *, uid: str = "", propagation: Propagation = Propagation.BACKGROUND
    ) -> None:
        """Delete an object. What it owns stays until `collect_garbage`, whatever `propagation`."""
        self._resource(ref.of)
        document = self._read(ref)
        del propagation
        if uid and document["metadata"]["uid"] != uid:
            raise Conflict(f"delete {ref}: it is another object; read it again")
        if not finalizers_of(document):
            self._put(ref, None)
        elif "deletionTimestamp" not in document["metadata"]:
            document["metadata"]["deletionTimestamp"] = self._moment()
            self._put(ref, document)

    async def resource_of(self, kind: Kind) -> Resource:
        """Return the resource of a kind."""
        return self._resource(kind)

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
        while orphans := self._orphans():
            for ref in orphans:
                await self.delete(ref)

    def _orphans(self) -> Sequence[Ref]:
        """Return the objects whose owners are all gone, except those that are being deleted."""
        metadata_of = {ref: _load(text)["metadata"] for ref, text in self._texts.items()}
        uids = {metadata["uid"] for metadata in metadata_of.values()}
        return [
            ref
            for ref, metadata in metadata_of.items()
            if "deletionTimestamp" not in metadata
            and (owners := {owner["uid"] for owner in metadata.get("ownerReferences", ())})
            and not owners & uids
        ]

    def _resource(self, kind: Kind) -> Resource:
        try:
            return self.resources[kind]
        except KeyError:
            raise UnknownKind(f"the cluster does not serve the kind {kind}") from None

    def _read(self, ref: Ref) -> Document:
        try:
            return _load(self._texts[ref])
        except KeyError:
            raise NotFound(f"{ref}: does not exist") from None

    def _refs(self, scope: Scope) -> Iterator[Ref]:
        return (ref for ref in sorted(self._texts, key=str) if is_in(ref, scope))

    def _create(self, document: JsonObject) -> JsonObject:
        resource = self._resource(ref_of(document).of)
        made = _load(_dump(document))
        metadata = made.setdefault("metadata", {})
        version = next(self._version)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = f"{metadata['generateName']}{version:0{_SUFFIX}x}"
        ref = ref_of(made)
        check_name(ref, namespaced=resource.namespaced)
        if resource.namespaced and _namespace_of(ref) not in self._texts:
            raise NotFound(f"create {ref}: no namespace {ref.namespace}; create it first")
        if ref in self._texts:
            raise AlreadyExists(f"create {ref}: it exists already; read it")
        if resource.status:
            made.pop("status", None)
            metadata["generation"] = 1
        metadata["uid"] = f"{version:08x}-0000-4000-8000-{version:012x}"
        metadata["creationTimestamp"] = self._moment()
        return self._put(ref, made, version)

    def _write(
        self, resource: Resource, ref: Ref, before: Document, wanted: Document, *, status: bool
    ) -> JsonObject:
        if status and not resource.status:
            raise NotFound(f"{ref}: its kind has no status subresource")
        after = renewed(before, wanted, ref, status=status, apart=resource.status)
        if after == before:
            return before
        if "deletionTimestamp" in after["metadata"] and not finalizers_of(after):
            self._put(ref, None)
            return after
        return self._put(ref, after)

    def _put(self, ref: Ref, document: Document | None, version: int = 0) -> Document:
        """Write or delete, and wake the watchers."""
        version = version or next(self._version)
        before = self._texts.pop(ref, None)
        after = document if document is not None else _load(before or "{}")
        after["metadata"]["resourceVersion"] = str(version)
        text = _dump(after)
        if document is not None:
            self._texts[ref] = text
        # The last document of a deleted object has the version of the deletion.
        self._history.add(
            Write(
                version, ref, before if document is not None else text, text if document else None
            )
        )
        self._wake_watchers()
        return after

    def _wake_watchers(self) -> None:
        self._written.set()
        self._written = asyncio.Event()

    def _moment(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _namespace_of(ref: Ref) -> Ref:
    return Ref(api_version="v1", kind="Namespace", name=ref.namespace)


def _number(version: str) -> int:
    if not version.isascii() or not version.isdigit():
        raise Invalid(f"{version!r} is not a version; take one from a list")
    return int(version)


def _load(text: str) -> Document:
    document: dict[str, Any] = json.loads(text)
    return document


def _dump(document: JsonObject) -> str:
    return json.dumps(document)
