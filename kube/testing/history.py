"""What happened in a cluster in memory, for as long as it is remembered, and as watchers see it."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from api.types import JsonObject
from kube.cluster import Change, ChangeType, Kind, Labels, Ref, Scope, labels_of
from kube.errors import Gone


@dataclass(frozen=True, slots=True)
class Happened:
    """One write: what was there before, and after; as text, so that nobody can change it."""

    version: int
    ref: Ref
    before: str | None
    after: str | None


class History:
    """The last writes, in order."""

    def __init__(self, most: int) -> None:
        """At `most` so many are remembered."""
        self.last = 0
        """The version of the last write."""
        self._most, self._forgotten = most, 0
        self._happened: list[Happened] = []

    def add(self, happened: Happened) -> None:
        """Remember a write."""
        self._happened.append(happened)
        self.last = happened.version
        if len(self._happened) > self._most:
            self._forgotten = self._happened.pop(0).version

    def forget(self) -> None:
        """Forget all."""
        self._happened.clear()
        self._forgotten = self.last

    def after(self, version: int) -> Happened | None:
        """Return the first write after a version.

        Raises:
            Gone: what happened after it is not remembered.
        """
        if version < self._forgotten:
            raise Gone(
                f"version {version} is too old: what happened since is forgotten; list again"
            )
        place = bisect_right(self._happened, version, key=lambda one: one.version)
        return self._happened[place] if place < len(self._happened) else None


def seen_as(happened: Happened, labels: Labels) -> Change | None:
    """Say what a watcher of some labels sees of it: who ceases to match them is gone."""
    before = _load(happened.before) if happened.before else None
    after = _load(happened.after) if happened.after else None
    was = before is not None and matches(before, labels)
    if after is not None and matches(after, labels):
        return Change(type=ChangeType.MODIFIED if was else ChangeType.ADDED, document=after)
    if not was or before is None:
        return None
    before["metadata"]["resourceVersion"] = str(happened.version)
    return Change(type=ChangeType.DELETED, document=before)


def bookmark(kind: Kind, version: int) -> Change:
    """Say how far a watcher of a kind is."""
    document: JsonObject = {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"resourceVersion": str(version)},
    }
    return Change(type=ChangeType.BOOKMARK, document=document)


def is_in(ref: Ref, scope: Scope) -> bool:
    """Say whether an object is in a scope, whatever its labels are."""
    names = scope.namespace in {"", ref.namespace} and scope.name in {"", ref.name}
    return ref.of == scope.kind and names


def matches(document: JsonObject, labels: Labels) -> bool:
    """Say whether a document has these labels."""
    there = labels_of(document)
    return all(
        key in there and (value is None or there[key] == value) for key, value in labels.items()
    )


def _load(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    return document
