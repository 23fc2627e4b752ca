"""The last writes to a cluster in memory, and how watchers see them."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from api.types import JsonObject
from kube.cluster import Change, ChangeType, Kind, Labels, Ref, Scope, labels_of
from kube.errors import Gone


@dataclass(frozen=True, slots=True)
class Write:
    """One write: the object before and after, as JSON text, which cannot be changed."""

    version: int
    ref: Ref
    before: str | None
    after: str | None


class History:
    """The last writes, in order."""

    def __init__(self, most: int) -> None:
        """`most`: the number of writes that are remembered."""
        self.last = 0
        """The version of the last write."""
        self._most, self._forgotten = most, 0
        self._writes: list[Write] = []

    def add(self, write: Write) -> None:
        """Remember a write."""
        self._writes.append(write)
        self.last = write.version
        if len(self._writes) > self._most:
            self._forgotten = self._writes.pop(0).version

    def forget(self) -> None:
        """Forget all writes."""
        self._writes.clear()
        self._forgotten = self.last

    def after(self, version: int) -> Write | None:
        """Return the first write after a version.

        Raises:
            Gone: the writes after it are forgotten.
        """
        if version < self._forgotten:
            raise Gone(
                f"version {version} is too old: the writes since then are forgotten; list again"
            )
        index = bisect_right(self._writes, version, key=lambda write: write.version)
        return self._writes[index] if index < len(self._writes) else None


def seen_as(write: Write, labels: Labels) -> Change | None:
    """Return how a watcher of labels sees a write: an object that stops matching is DELETED."""
    before = _load(write.before) if write.before else None
    after = _load(write.after) if write.after else None
    was = before is not None and matches(before, labels)
    if after is not None and matches(after, labels):
        return Change(type=ChangeType.MODIFIED if was else ChangeType.ADDED, document=after)
    if not was or before is None:
        return None
    before["metadata"]["resourceVersion"] = str(write.version)
    return Change(type=ChangeType.DELETED, document=before)


def bookmark(kind: Kind, version: int) -> Change:
    """Return the bookmark of a version."""
    document: JsonObject = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"resourceVersion": str(version)},
    }
    return Change(type=ChangeType.BOOKMARK, document=document)


def is_in(ref: Ref, scope: Scope) -> bool:
    """Return whether an object is in a scope; labels are not compared."""
    names = scope.namespace in {"", ref.namespace} and scope.name in {"", ref.name}
    return ref.of == scope.kind and names


def matches(document: JsonObject, labels: Labels) -> bool:
    """Return whether a document has these labels."""
    present = labels_of(document)
    return all(
        key in present and (value is None or present[key] == value) for key, value in labels.items()
    )


def _load(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
