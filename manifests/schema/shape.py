"""The structural schema of our objects, learnt from the functions that read them.

A `Shape` is a field without a value: whoever reads it tells it what may stand there. So the CRDs
and `api.objects` cannot know different fields.

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
    """Put first what a reader looks for, and last what has members of its own."""
    return keyword in _WITH_MEMBERS, keyword not in ("description", "type"), keyword


_WITH_MEMBERS = ("items", "properties")


class Shape(Field):
    """A place in a document that may come: it gives neutral values, and notes how it was read."""

    __slots__ = ("_item", "_keywords", "_members", "required")

    def __init__(self) -> None:
        super().__init__(None)
        self._keywords: dict[str, Json] = {}
        self._members: dict[str, Shape] = {}
        self._item: Shape | None = None
        self.required = False

    def schema(self, decorate: Callable[[str], Mapping[str, Json]], path: str) -> dict[str, Json]:
        """Write the schema; `decorate` adds to each place, by its path, what no reader says.

        None in place of a keyword takes it away.
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

    # -- what a reader asks ----------------------------------------------------------------

    def at(self, name: str) -> Shape:
        """Note a member."""
        self._keywords["type"] = "object"
        return self._members.setdefault(name, Shape())

    def record(self, parse: Callable[[Field], T]) -> T | None:
        """Note an object."""
        self._keywords["type"] = "object"
        return parse(self)

    def items(self, parse: Callable[[Field], T]) -> tuple[T, ...]:
        """Note a list."""
        self._keywords["type"] = "array"
        self._item = self._item or Shape()
        return (parse(self._item),)

    def records(self, parse: Callable[[Field], T]) -> tuple[T, ...]:
        """Note a list of objects."""
        return self.items(parse)

    def texts(self) -> tuple[str, ...]:
        """Note a list of texts."""
        return self.items(lambda f: f.text())

    def integers(self) -> tuple[int, ...]:
        """Note a list of whole numbers."""
        return self.items(lambda f: f.count())

    def open_ended(self) -> Shape:
        """Note that there may be more."""
        self._keywords |= {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        return self

    def mapping(self) -> JsonObject | None:
        """Note an object of any form."""
        self.open_ended()
        return _EMPTY

    def text_map(self) -> dict[str, str]:
        """Note texts by name."""
        self._keywords |= {"type": "object", "additionalProperties": {"type": "string"}}
        return {}

    def text(self) -> str:
        """Note a text."""
        self._keywords["type"] = "string"
        return ""

    def integer(self, *, limit: int = INT32_MAX) -> int | None:
        """Note a whole number."""
        width = "int32" if limit == INT32_MAX else "int64"
        self._keywords |= {"type": "integer", "format": width, "minimum": -limit, "maximum": limit}
        return None

    def number(self) -> float | None:
        """Note a number."""
        self._keywords |= {"type": "number", "format": "double"}
        return None

    def flag(self) -> bool:
        """Note true or false."""
        self._keywords["type"] = "boolean"
        return False

    def choice(self, kind: type[E], default: D) -> E | D:
        """Note the words; the empty one is as if it were left out."""
        words = [*(word.value for word in kind if word.value), ""]
        self._keywords |= {"type": "string", "enum": words}
        return default

    def require(self, why: str) -> None:  # noqa: ARG002 - the reader's words
        """Note that it must be there."""
        self.required = True
