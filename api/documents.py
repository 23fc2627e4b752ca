"""Values in JSON documents whose shape is not known: a part by its path, or an empty value.

    text_at(job, "metadata", "name")            # "" if the job has no name
    mapping_at(pod, "metadata", "labels")       # {} if the pod has no labels
    mappings_at(pod, "spec", "containers")      # [] if the pod has no containers
    mapping_at(value)                           # {} if the value is not a mapping

A path consists of names of mappings; a list cannot be entered. A value of another type than the
function returns counts as missing. No function raises an error or changes a document. To report
what is wrong with a document, read it with `api.objects.fields` instead.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.types import Json, JsonObject

_MAPPING = (dict, Mapping)
"""Nearly every mapping is a dict, and Python checks for that several times faster."""


def value_at(document: Json, *path: str) -> Json:
    """Return the value at a path; None if it is missing."""
    for name in path:
        document = document.get(name) if isinstance(document, _MAPPING) else None
    return document


def text_at(document: Json, *path: str) -> str:
    """Return the string at a path; "" if it is missing."""
    value = value_at(document, *path)
    return value if isinstance(value, str) else ""


def mapping_at(document: Json, *path: str) -> JsonObject:
    """Return the mapping at a path; an empty one if it is missing."""
    value = value_at(document, *path)
    return value if isinstance(value, Mapping) else {}


def items_at(document: Json, *path: str) -> list[Json]:
    """Return the items of the list at a path, in a new list; an empty one if it is missing."""
    value = value_at(document, *path)
    return list(value) if isinstance(value, list | tuple) else []


def mappings_at(document: Json, *path: str) -> list[JsonObject]:
    """Return those items of the list at a path that are mappings."""
    return [item for item in items_at(document, *path) if isinstance(item, Mapping)]
