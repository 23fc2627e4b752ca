"""The API server's changes to a document before it stores it, as far as clients rely on them."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from jsonpath import JSONPatchError
from jsonpath import patch as rfc6902

from api.types import Json, JsonObject
from kube.cluster import Patch, Ref, uid_of, version_of
from kube.errors import Conflict, Invalid

Document: TypeAlias = dict[str, Any]
"""A document that the holder may change."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LONGEST_NAME = 253
_KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "resourceVersion")
"""Metadata that only the server writes."""


def check_name(ref: Ref, *, namespaced: bool) -> None:
    """Check that an object can have this name. Raises Invalid."""
    if not _NAME.fullmatch(ref.name) or len(ref.name) > _LONGEST_NAME:
        raise Invalid(f"create {ref}: {ref.name!r} is not a name; write a-z, 0-9, `-` and `.`")
    if namespaced != bool(ref.namespace):
        what = "is missing; add it" if namespaced else "must be empty; remove it"
        raise Invalid(f"create {ref}: metadata.namespace {what}")


def patched(document: Document, patch: Patch, *, about: str) -> Document:
    """Apply a patch to a document, which may change. Raises Invalid."""
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
    """Return the stored document when `wanted` replaces `before`.

    Raises:
        Conflict: `wanted` replaces another version, or another object.
    """
    for mark_of in (version_of, uid_of):
        mark, current = mark_of(wanted), mark_of(before)
        if mark and mark != current:
            raise Conflict(f"{ref}: changed from {mark} to {current}; read it again")
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
    """Return the finalizers of a document."""
    return _of_metadata(document, "finalizers") or []


def _of_metadata(document: JsonObject, key: str) -> Any:  # noqa: ANN401 - as it was written
    metadata = document.get("metadata")
    return metadata.get(key) if isinstance(metadata, dict) else None


def _merged(target: Json, patch: Json) -> Json:
    """Apply RFC 7386: null removes, objects are merged, all other values replace."""
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
    """Return a document with one field, or its absence, taken from another document."""
    rest = {name: value for name, value in document.items() if name != key}
    return {**rest, key: source[key]} if key in source else rest


def _spec(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in {"metadata", "status"}}
