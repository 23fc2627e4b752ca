"""What the commands read of an object's document: its name, its age, any part of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api.types import Json, JsonObject


def at(document: Json, *path: str) -> Json:
    """Return what stands at a path of a document; None where nothing does."""
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def said(document: Json, *path: str) -> str:
    """Return the text that stands at a path; "" where there is none."""
    value = at(document, *path)
    return "" if value is None else str(value)


def name_of(document: JsonObject) -> str:
    """Return an object's name."""
    return said(document, "metadata", "name")


def namespace_of(document: JsonObject) -> str:
    """Return an object's namespace; "" where it has none."""
    return said(document, "metadata", "namespace")


def oldest_first(documents: Iterable[JsonObject]) -> list[JsonObject]:
    """Put objects into the order in which they were created, equal ones by name."""
    return sorted(
        documents, key=lambda one: (said(one, "metadata", "creationTimestamp"), name_of(one))
    )
