"""How Kubernetes JSON is written: what is left out is not there at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from api.types import Json

T = TypeVar("T")


def present(parts: Mapping[str, Json]) -> dict[str, Json]:
    """Keep the parts that say something: drop None, "" and empty tuples.

    Zero, false and an empty mapping stay, for some fields mean something by them; where Kubernetes
    leaves zero out, the caller writes `count or None`.
    """
    return {name: _plain(part) for name, part in parts.items() if not _empty(part)}


def maybe(value: T | None, render: Callable[[T], Json]) -> Json:
    """Render a value where there is one."""
    return None if value is None else render(value)


def _empty(part: Json) -> bool:
    return part is None or part == "" or (isinstance(part, tuple) and not part)


def _plain(part: Json) -> Json:
    """Make of our own kinds what a JSON or YAML writer takes: lists, and words of plain text."""
    if isinstance(part, tuple):
        return [_plain(item) for item in part]
    return part.value if isinstance(part, StrEnum) else part
