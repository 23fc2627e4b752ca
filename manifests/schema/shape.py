"""The structural schema of an object, recorded from the function that reads the object.

A `Shape` is a field without a value. A reader asks it for its members and types, and the Shape
records what it was asked for. So the CRDs and `api.objects` always have the same fields.

    shape = Shape()
    read_experiment(shape)
    shape.at("spec").schema(decorate, "spec")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from api.objects.fields import INT32_MAX, Field
from api.types import Json, JsonObject

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=StrEnum)

_EMPTY: JsonObject = {}


def _rank(keyword: str) -> tuple[bool, bool, str]:
    """Sort the description and type first, and keywords with members last."""
    return keyword in _WITH_MEMBERS, keyword not in ("description", "type"), keyword


_WITH_MEMBERS = ("items", "properties")


class Shape(Field):
    """A field of a future document: returns neutral values, and records how it was read."""

    __slots__ = ("_item", "_keywords", "_members", "required")

    def __init__(self) -> None:
        super().__init__(None)
        self._keywords: dict[str, Json] = {}
        self._members: dict[str, Shape] = {}
        self._item: Shape | None = None
        self.required = False

    def schema(self, decorate: Callable[[str], Mapping[str, Json]], path: str) -> dict[str, Json]:
        """Return the schema; `decorate` returns more keywords for a path, which take precedence.

        A keyword with the value None is left out.
        """
        written = dict(self._keywords)
        if self._members:
            written["properties"] = {
                name: member.schema(decorate, f"{path}.{name}" if path else name)
                for name, member in sorted(self._members.items())
            }
            written["required"] = [
                name for name, member in sorted(self._members.items()) if member.required
            ] or None
        if self._item is not None:
            written["items"] = self._item.schema(decorate, f"{path}[]")
        written |= decorate(path)
        return {key: written[key] for key in sorted(written, key=_rank) if written[key] is not None}

    # -- what a reader calls ----------------------------------------------------------------

    def at(self, name: str) -> Shape:
        """Record a member."""
        self._keywords["type"] = "object"
        return self._members.setdefault(name, Shape())

    def record(self, parse: Callable[[Field], T]) -> T | None:
        """Record an object."""
        self._keywords["type"] = "object"
        return parse(self)

    def items(self, parse: Callable[[Field], T]) -> tuple[T, ...]:
        """Record a list."""
        self._keywords["type"] = "array"
        self._item = self._item or Shape()
        return (parse(self._item),)

    def records(self, parse: Callable[[Field], T]) -> tuple[T, ...]:
        """Record a list of objects."""
        return self.items(parse)

    def texts(self) -> tuple[str, ...]:
        """Record a list of texts."""
        return self.items(lambda f: f.text())

    def integers(self) -> tuple[int, ...]:
        """Record a list of whole numbers."""
        return self.items(lambda f: f.count())

    def open_ended(self) -> Shape:
        """Record that unknown members are allowed."""
        self._keywords |= {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        return self

    def mapping(self) -> JsonObject | None:
        """Record an object of any form."""
        self.open_ended()
        return _EMPTY

    def text_map(self) -> dict[str, str]:
        """Record a map of texts."""
        self._keywords |= {"type": "object", "additionalProperties": {"type": "string"}}
        return {}

    def text(self) -> str:
        """Record a text."""
        self._keywords["type"] = "string"
        return ""

    def integer(self, *, limit: int = INT32_MAX) -> int | None:
        """Record a whole number."""
        width = "int32" if limit == INT32_MAX else "int64"
        self._keywords |= {"type": "integer", "format": width, "minimum": -limit, "maximum": limit}
        return None

    def number(self) -> float | None:
        """Record a number."""
        self._keywords |= {"type": "number", "format": "double"}
        return None

    def flag(self) -> bool:
        """Record a boolean."""
        self._keywords["type"] = "boolean"
        return False

    def choice(self, kind: type[E], default: D) -> E | D:
        """Record the words of an enumeration; the empty word means that the field is left out."""
        words = [*(word.value for word in kind if word.value), ""]
        self._keywords |= {"type": "string", "enum": words}
        return default

    def require(self, why: str) -> None:  # noqa: ARG002 - the reader's message
        """Record that the field is required."""
        self.required = True
