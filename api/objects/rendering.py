"""Write Kubernetes JSON without the fields that are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from api.types import Json

T = TypeVar("T")


def present(parts: Mapping[str, Json]) -> dict[str, Json]:
    """Return the parts without None, "" and empty tuples.

    Zero, false and empty mappings stay, because they have a meaning in some fields. For a field
    where Kubernetes omits zero, the caller writes `count or None`.
    """
    return {name: _plain(part) for name, part in parts.items() if not _empty(part)}


def maybe(value: T | None, render: Callable[[T], Json]) -> Json:
    """Render a value; None if it is None."""
    return None if value is None else render(value)


def _empty(part: Json) -> bool:
    return part is None or part == "" or (isinstance(part, tuple) and not part)


def _plain(part: Json) -> Json:
    """Convert tuples to lists and enums to text, for JSON and YAML writers."""
    if isinstance(part, tuple):
        return [_plain(item) for item in part]
    return part.value if isinstance(part, StrEnum) else part
