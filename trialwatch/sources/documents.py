"""What the commands read from the document of any object: its name, namespace and age."""

from __future__ import annotations

from collections.abc import Iterable

from api.documents import value_at
from api.types import Json, JsonObject


def shown_at(document: Json, *path: str) -> str:
    """Return the value at a path, written as text; "" if it is missing."""
    value = value_at(document, *path)
    return "" if value is None else str(value)


def name_of(document: JsonObject) -> str:
    """Return an object's name."""
    return shown_at(document, "metadata", "name")


def namespace_of(document: JsonObject) -> str:
    """Return an object's namespace; "" if it has none."""
    return shown_at(document, "metadata", "namespace")


def oldest_first(documents: Iterable[JsonObject]) -> list[JsonObject]:
    """Sort objects by the time of their creation, and by name if the times are equal."""
    return sorted(
        documents,
        key=lambda document: (
            shown_at(document, "metadata", "creationTimestamp"),
            name_of(document),
        ),
    )
