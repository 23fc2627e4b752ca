"""A cluster in memory: for tests, and for programs that run where no cluster is.

It keeps what the API server keeps to: one version counter over all objects, conflicts, the status
apart, finalizers, watches that begin at any version still remembered. It has no controllers: no
pod comes of a job, and nothing is deleted with its owner until `collect_garbage`.
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
from kube.testing.history import Happened, History, bookmark, is_in, matches, seen_as
from kube.testing.logs import Printed

ADMINISTRATORS = "system:masters"
"""The group that may do everything, as in Kubernetes."""
_HISTORY = 10_000
"""Events that are remembered unless told otherwise."""
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
        """Objects can be created in these `namespaces`; `history` is the events remembered."""
        self.resources = {resource.of: resource for resource in resources}
        self._now = now
        self._texts: dict[Ref, str] = {}
        self._version = itertools.count(1)
        self._history = History(history)
        self.printed = Printed()
        self._news = asyncio.Event()
        self._ends = self._bookmarks = 0
        self._grants: set[tuple[str, str, str, str, str]] = set()
        for name in namespaces:
            self._create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    async def get(self, ref: Ref) -> JsonObject:
        """Read an object."""
        self._resource(ref.of)
        return self._read(ref)

    async def list(self, scope: Scope) -> Listing:
        """Read all objects of a kind."""
        self._resource(scope.kind)
        texts = (self._texts[ref] for ref in self._refs(scope))
        documents = (_load(text) for text in texts)
        items = tuple(item for item in documents if matches(item, scope.labels))
        return Listing(items=items, version=str(self._history.last))

    async def pages(self, scope: Scope) -> AsyncGenerator[Listing, None]:
        """Read all objects of a kind; there is one page, for they are in memory anyhow."""
        yield await self.list(scope)

    async def watch(self, scope: Scope, *, since: str) -> AsyncGenerator[Change, None]:
        """Follow what happens after a version."""
        self._resource(scope.kind)
        seen = _number(since)
        ends, bookmarks = self._ends, self._bookmarks
        while ends == self._ends:
            news = self._news
            while (happened := self._history.after(seen)) is not None:
                seen = happened.version
                if is_in(happened.ref, scope):
                    change = seen_as(happened, scope.labels)
                    if change is not None:
                        yield change
            if bookmarks != self._bookmarks:
                bookmarks = self._bookmarks
                yield bookmark(scope.kind, max(seen, self._history.last))
            if news is self._news and ends == self._ends:
                await news.wait()

    async def pod_log(
        self, pod: Ref, container: str = "", *, follow: bool = False, previous: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Read what a container printed: what was put into `printed`."""
        document = await self.get(pod)
        pieces = self.printed.read(document, container, follow=follow, previous=previous)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def create(self, document: JsonObject) -> JsonObject:
        """Create an object."""
        return self._create(document)

    async def replace(self, document: JsonObject, *, status: bool = False) -> JsonObject:
        """Put a document in the place of the one there."""
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
            raise Conflict(f"delete {ref}: it is another one by now; read it again")
        if not finalizers_of(document):
            self._put(ref, None)
        elif "deletionTimestamp" not in document["metadata"]:
            document["metadata"]["deletionTimestamp"] = self._moment()
            self._put(ref, document)

    async def resource_of(self, kind: Kind) -> Resource:
        """Say where a kind is in the API."""
        return self._resource(kind)

    def grant(
        self, who: str, verb: str, resource: str, *, group: str = "", namespace: str = ""
    ) -> None:
        """Give a right to a requester or a group of that name; in one namespace, or in all."""
        self._grants.add((who, verb, group, resource, namespace))

    async def decide(self, access: Access) -> Decision:
        """Say whether somebody may do something: an administrator all, others what was granted."""
        whole = {access.requester.name, *access.requester.groups}
        granted = (
            (who, access.verb, access.group, access.resource, place) in self._grants
            for who in whole
            for place in ("", access.namespace)
        )
        return Decision(allowed=ADMINISTRATORS in whole or any(granted))

    async def close(self) -> None:
        """End all watches."""
        self.end_watches()

    def end_watches(self) -> None:
        """End all watches, as the API server does every few minutes."""
        self._ends += 1
        self._tell()

    def send_bookmarks(self) -> None:
        """Tell all watchers how far they are, as the API server does every minute."""
        self._bookmarks += 1
        self._tell()

    def forget(self) -> None:
        """Forget what happened so far: who asks from further back is told that it is gone."""
        self._history.forget()

    async def collect_garbage(self) -> None:
        """Delete what has owners of which none is left, as a cluster does after a while."""
        while orphans := self._orphans():
            for ref in orphans:
                await self.delete(ref)

    def _orphans(self) -> Sequence[Ref]:
        """Return what has lost its owners, and is not on its way already."""
        every = {ref: _load(text)["metadata"] for ref, text in self._texts.items()}
        there = {metadata["uid"] for metadata in every.values()}
        return [
            ref
            for ref, metadata in every.items()
            if "deletionTimestamp" not in metadata
            and (owners := {owner["uid"] for owner in metadata.get("ownerReferences", ())})
            and not owners & there
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
            raise NotFound(f"{ref}: there is none") from None

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
        if resource.namespaced and self._home(ref) not in self._texts:
            raise NotFound(f"create {ref}: there is no namespace {ref.namespace}; create it first")
        if ref in self._texts:
            raise AlreadyExists(f"create {ref}: there is one already; read it")
        if resource.status:
            made.pop("status", None)
            metadata["generation"] = 1
        metadata["uid"] = f"{version:08x}-0000-4000-8000-{version:012x}"
        metadata["creationTimestamp"] = self._moment()
        return self._put(ref, made, version)

    def _home(self, ref: Ref) -> Ref:
        return Ref(api_version="v1", kind="Namespace", name=ref.namespace)

    def _write(
        self, resource: Resource, ref: Ref, before: Document, wanted: Document, *, status: bool
    ) -> JsonObject:
        if status and not resource.status:
            raise NotFound(f"{ref}: its kind does not keep the status apart")
        after = renewed(before, wanted, ref, status=status, apart=resource.status)
        if after == before:
            return before
        if "deletionTimestamp" in after["metadata"] and not finalizers_of(after):
            self._put(ref, None)
            return after
        return self._put(ref, after)

    def _put(self, ref: Ref, document: Document | None, version: int = 0) -> Document:
        """Write or delete, and tell the watchers."""
        version = version or next(self._version)
        before = self._texts.pop(ref, None)
        after = document if document is not None else _load(before or "{}")
        after["metadata"]["resourceVersion"] = str(version)
        text = _dump(after)
        if document is not None:
            self._texts[ref] = text
        # The last document of one that is deleted carries the version of its deletion.
        self._history.add(
            Happened(
                version, ref, before if document is not None else text, text if document else None
            )
        )
        self._tell()
        return after

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _moment(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(version: str) -> int:
    if not version.isascii() or not version.isdigit():
        raise Invalid(f"{version!r} is no version; take one from a list")
    return int(version)


def _load(text: str) -> Document:
    document: dict[str, Any] = json.loads(text)
    return document


def _dump(document: JsonObject) -> str:
    return json.dumps(document)
