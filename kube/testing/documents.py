"""What the API server does to a document before it stores it, as far as clients rely on it."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from jsonpath import JSONPatchError
from jsonpath import patch as rfc6902

from api.types import Json, JsonObject
from kube.cluster import Patch, Ref, uid_of, version_of
from kube.errors import Conflict, Invalid

Document: TypeAlias = dict[str, Any]
"""A document of one's own, to be changed."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LONGEST_NAME = 253
_KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion")
"""Of the metadata: what only the server writes."""


def check_name(ref: Ref, *, namespaced: bool) -> None:
    """Check that an object can have this name. Raises Invalid."""
    if not _NAME.fullmatch(ref.name) or len(ref.name) > _LONGEST_NAME:
        raise Invalid(f"create {ref}: {ref.name!r} is no name; write a-z, 0-9, `-` and `.`")
    if namespaced != bool(ref.namespace):
        what = "is missing; say where it belongs" if namespaced else "is there; leave it out"
        raise Invalid(f"create {ref}: metadata.namespace {what}")


def patched(document: Document, patch: Patch, *, about: str) -> Document:
    """Apply a patch to a document of one's own. Raises Invalid."""
    if not isinstance(patch, list | tuple):
        merged = _merged(document, patch)
        return merged if isinstance(merged, dict) else {}
    try:
        changed = rfc6902.apply(list(patch), document)
    except JSONPatchError as error:
        raise Invalid(f"{about}: the patch does not apply: {error}") from None
    if not isinstance(changed, dict) or not isinstance(changed.get("metadata"), dict):
        raise Invalid(f"{about}: the patch leaves no object")
    return changed


def renewed(before: Document, wanted: Document, ref: Ref, *, status: bool, apart: bool) -> Document:
    """Return what is stored when `wanted` is to take the place of `before`.

    Raises:
        Conflict: it was to take the place of another version, or another object.
    """
    for said, there in ((version_of(wanted), version_of(before)), (uid_of(wanted), uid_of(before))):
        if said and said != there:
            raise Conflict(f"{ref}: it has changed: {said} was meant, {there} is there; read again")
    if status:
        return _with(before, "status", wanted)
    after = _with(wanted, "status", before) if apart else dict(wanted)
    metadata = {key: value for key, value in after["metadata"].items() if key not in _KEPT}
    metadata |= {key: before["metadata"][key] for key in _KEPT if key in before["metadata"]}
    after["metadata"] = metadata
    if apart and _spec(after) != _spec(before):
        metadata["generation"] += 1
    return after


def finalizers_of(document: JsonObject) -> list[str]:
    """Return who still has to agree to a document's end."""
    return _of_metadata(document, "finalizers") or []


def _of_metadata(document: JsonObject, key: str) -> Any:  # noqa: ANN401 - as it was written
    metadata = document.get("metadata")
    return metadata.get(key) if isinstance(metadata, dict) else None


def _merged(target: Json, patch: Json) -> Json:
    """RFC 7386: null takes away, objects are merged, all else is put in the place."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _with(document: Document, key: str, source: Document) -> Document:
    """Return a document with one field as in another one: there, or not there."""
    rest = {name: value for name, value in document.items() if name != key}
    return {**rest, key: source[key]} if key in source else rest


def _spec(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in {"metadata", "status"}}
