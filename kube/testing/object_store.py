"""The objects of a cluster in memory: versions, conflicts, status subresources, finalizers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from api.types import JsonObject
from kube.cluster import Kind, Patch, Ref, Resource, Scope, ref_of, uid_of, version_of
from kube.errors import AlreadyExists, Conflict, Invalid, NotFound, UnknownKind
from kube.testing.documents import Document, check_name, finalizers_of, patched, renewed
from kube.testing.history import History, Write, is_in, matches

_SUFFIX = 5
"""Characters that the store adds to a generateName."""


class ObjectStore:
    """Objects by reference, as JSON texts, which cannot be changed; one version counter over all.

    The methods raise the errors of the port's methods of these names (`kube.cluster.Cluster`).
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        history: History,
        *,
        now: Callable[[], datetime],
        written: Callable[[], None],
    ) -> None:
        """Add each write to the history, then call `written`."""
        self.resources = {resource.of: resource for resource in resources}
        self._history = history
        self._now, self._written = now, written
        self._texts: dict[Ref, str] = {}
        self._version = itertools.count(1)

    def resource_of(self, kind: Kind) -> Resource:
        """Return the resource of a kind."""
        try:
            return self.resources[kind]
        except KeyError:
            raise UnknownKind(f"the cluster does not serve the kind {kind}") from None

    def get(self, ref: Ref) -> Document:
        """Read an object."""
        self.resource_of(ref.of)
        try:
            return _load(self._texts[ref])
        except KeyError:
            raise NotFound(f"{ref}: does not exist") from None

    def items(self, scope: Scope) -> Iterator[Document]:
        """Yield the objects of a scope, by name."""
        self.resource_of(scope.kind)
        for ref in sorted(self._texts, key=str):
            if is_in(ref, scope):
                document = _load(self._texts[ref])
                if matches(document, scope.labels):
                    yield document

    def create(self, document: JsonObject) -> Document:
        """Create an object, and return it as stored."""
        resource = self.resource_of(ref_of(document).of)
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

    def replace(self, document: JsonObject, *, status: bool) -> Document:
        """Replace an object, and return it as stored."""
        ref = ref_of(document)
        before = self.get(ref)
        if not version_of(document):
            raise Invalid(f"replace {ref}: metadata.resourceVersion is missing; read it first")
        return self._write(ref, before, _load(_dump(document)), status=status)

    def patch(self, ref: Ref, patch: Patch, *, status: bool) -> Document:
        """Change an object, and return it as stored."""
        before = self.get(ref)
        after = patched(self.get(ref), patch, about=f"patch {ref}")
        if ref_of(after) != ref or uid_of(after) != uid_of(before):
            raise Invalid(f"patch {ref}: its kind, name and uid cannot be changed")
        return self._write(ref, before, after, status=status)

    def delete(self, ref: Ref, *, uid: str = "") -> None:
        """Delete an object, or mark it if it has finalizers."""
        document = self.get(ref)
        if uid and document["metadata"]["uid"] != uid:
            raise Conflict(f"delete {ref}: it is another object; read it again")
        if not finalizers_of(document):
            self._put(ref, None)
        elif "deletionTimestamp" not in document["metadata"]:
            document["metadata"]["deletionTimestamp"] = self._moment()
            self._put(ref, document)

    def orphans(self) -> Sequence[Ref]:
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

    def _write(self, ref: Ref, before: Document, wanted: Document, *, status: bool) -> Document:
        resource = self.resource_of(ref.of)
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
        """Write, or delete if `document` is None."""
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
        self._written()
        return after

    def _moment(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _namespace_of(ref: Ref) -> Ref:
    return Ref(api_version="v1", kind="Namespace", name=ref.namespace)


def _load(text: str) -> Document:
    document: dict[str, Any] = json.loads(text)
    return document


def _dump(document: JsonObject) -> str:
    return json.dumps(document)
