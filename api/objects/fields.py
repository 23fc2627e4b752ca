"""Reading JSON by a schema: a `Field` is one position in a document, with its path and value.

A parse function reads the parts of a field by name and type, so it looks like the schema:

    Assignment(name=f.at("name").text(), value=f.at("value").text())

Reading never raises. A field records what is wrong with its value and returns a neutral value
instead, so one pass finds all faults. At the end, `accept` raises them together. A part that the
parse function did not read is unknown to the schema. It is a fault too, unless the field is
`open_ended`. JSON's null means "left out", as in Kubernetes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TypeAlias, TypeVar, cast

from api.errors import Fault, SpecError
from api.faults import invalid, nearest, quoted, required
from api.objects.wrong_types import (
    not_a_boolean,
    not_a_list,
    not_a_mapping,
    not_a_number,
    not_a_string,
    not_a_whole_number,
)
from api.types import JsonObject

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=StrEnum)

_Way: TypeAlias = "str | tuple[_Way, str]"

INT32_MAX = 2**31 - 1
_MAPPING = (dict, Mapping)
"""Nearly every mapping is a dict, and Python checks for that several times faster."""
_LONGEST_NAME = 100
_SHOWN_UNKNOWN = 20
"""The most unknown fields of one mapping to report by name: finding similar names takes time."""


class Field:
    """One position in a document: its path, its value, the parts that were read."""

    # One review of a pod creates about a hundred fields. So the list of faults is created with the
    # first fault, and the path is built only on request, which only a fault makes. `_way` refers to
    # names instead of fields, because fields that refer to each other would form cycles.
    __slots__ = ("_faults", "_known", "_open", "_parts", "_way", "value")

    def __init__(self, value: object, way: _Way = "") -> None:
        """`way` is the field's path, or the way of its parent and the last step."""
        self.value = value
        self._way = way
        self._parts: dict[str | int, Field] = {}
        self._faults: list[Fault] | None = None
        self._open = False
        self._known: Mapping[str, object] | None = None

    @property
    def path(self) -> str:
        """The path as kubectl writes it: `spec.parameters[0].name`."""
        return _path(self._way)

    @property
    def absent(self) -> bool:
        """Whether the value is left out or null."""
        return self.value is None

    def refuse(self, why: str) -> None:
        """Record that the value cannot be used."""
        self._note(invalid(self.path or "document", self.value, why))

    def require(self, why: str) -> None:
        """Record that the value is missing."""
        self._note(required(self.path or "document", why))

    # -- parts of a mapping or list ------------------------------------------------------

    def at(self, name: str) -> Field:
        """Return a part of a mapping; if the value is not a mapping, the part is absent."""
        part = self._parts.get(name)
        if part is None:
            found = self._mapping()
            value = found.get(name) if found is not None else None
            part = self._parts[name] = Field(value, (self._way, name))
        return part

    def record(self, parse: Callable[[Field], T]) -> T | None:
        """Read a mapping by its parse function; None if it is left out or not a mapping."""
        return None if self._mapping() is None else parse(self)

    def items(self, parse: Callable[[Field], T]) -> tuple[T, ...]:
        """Read a list, each item by the parse function."""
        return tuple(parse(item) for item in self._items())

    def records(self, parse: Callable[[Field], T]) -> tuple[T, ...]:
        """Read a list of mappings; any other item is a fault and omitted."""
        return tuple(parse(item) for item in self._items() if item._is_mapping())  # noqa: SLF001

    def texts(self) -> tuple[str, ...]:
        """Read a list of texts."""
        return self.items(Field.text_of_item)

    def integers(self) -> tuple[int, ...]:
        """Read a list of whole numbers."""
        return tuple(number for item in self._items() if (number := item.integer()) is not None)

    def open_ended(self) -> Field:
        """Allow unknown parts in the mapping: another program defines (some of) them."""
        self._open = True
        return self

    # -- values --------------------------------------------------------------------------

    def text(self) -> str:
        """Read a text; "" if it is left out."""
        if isinstance(self.value, str):
            if _has_surrogate(self.value):
                self.refuse("is not valid Unicode; write the text again")
            return self.value
        if self.value is not None:
            self.refuse(not_a_string(self.value))
        return ""

    def text_of_item(self) -> str:
        """Read a text that is an item of a list, where null is a fault."""
        if self.value is None:
            self.refuse('must be a string; write "" for an empty one, or delete the item')
        return self.text()

    def optional_text(self) -> str | None:
        """Read a text; None if it is left out or empty."""
        return self.text() or None

    def integer(self, *, limit: int = INT32_MAX) -> int | None:
        """Read a whole number from -`limit` to `limit`; None if it is left out."""
        if self.value is None:
            return None
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            if abs(self.value) <= limit:
                return self.value
            self.refuse(f"must be between -{limit} and {limit}")
            return None
        self.refuse(not_a_whole_number(self.value))
        return None

    def count(self) -> int:
        """Read a whole number; 0 if it is left out."""
        return self.integer() or 0

    def number(self) -> float | None:
        """Read a finite number; None if it is left out."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.refuse(not_a_number(self.value))
            return None
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
        self.refuse("must be a finite number that a 64-bit float can hold")
        return None

    def flag(self) -> bool:
        """Read true or false; false if it is left out."""
        if isinstance(self.value, bool):
            return self.value
        if self.value is not None:
            self.refuse(not_a_boolean(self.value))
        return False

    def choice(self, kind: type[E], default: D) -> E | D:
        """Read a value of an enum; the default if it is left out or empty."""
        if self.value is None or self.value == "":
            return default
        if isinstance(self.value, str) and self.value in set(kind):
            return kind(self.value)
        # `unknown` means that an object does not say; users must not write it.
        self._refuse_choice([word.value for word in kind if word.value not in ("", "unknown")])
        return default

    def mapping(self) -> JsonObject | None:
        """Read a free-form mapping unchanged; None if it is left out or not a mapping."""
        found = self._mapping()
        self._open = True
        return cast("JsonObject | None", found)

    def text_map(self) -> dict[str, str]:
        """Read a mapping whose values are texts, such as labels."""
        self._open = True
        found = self._mapping() or {}
        texts: dict[str, str] = {}
        for name in found:
            part = self._parts[name] = Field(found[name], (self._way, f"[{_plain(name)}]"))
            if part.value is None:
                part.refuse('must be a string; write "" for an empty one')
            texts[name] = part.text()
        return texts

    # -- the end -------------------------------------------------------------------------

    def faults(self, *, unknown: bool = True) -> Iterator[Fault]:
        """Yield all faults of this field and its parts, in the order of reading.

        If `unknown` is false, unknown fields are not faults.
        """
        if self._faults:
            yield from self._faults
        if unknown and not self._open:
            yield from self._unknown_parts()
        for part in self._parts.values():
            if part._parts or part._faults:  # noqa: SLF001 - most have no faults
                yield from part.faults(unknown=unknown)

    def accept(self, result: T | None, *, unknown: bool = True) -> T:
        """Return the result, or raise SpecError with all faults of the reading."""
        faults = tuple(self.faults(unknown=unknown))
        if result is None and not faults:
            faults = (required(self.path or "document", "must be a mapping"),)
        if faults or result is None:
            raise SpecError(faults)
        return result

    def _unknown_parts(self) -> Iterator[Fault]:
        if not self._parts or not isinstance(self.value, Mapping):
            return
        known = [part for part in self._parts if isinstance(part, str)]
        unknown = [name for name in self.value if name not in self._parts]
        for name in unknown[:_SHOWN_UNKNOWN]:
            hint = nearest(name, known) or f"; known fields: {', '.join(known)}"
            yield invalid(_join(self.path, name), self.value[name], f"unknown field{hint}")
        if len(unknown) > _SHOWN_UNKNOWN:
            yield invalid(self.path or "document", self.value, f"{len(unknown)} unknown fields")

    def _refuse_choice(self, words: list[str]) -> None:
        hint = nearest(self.value, words) if isinstance(self.value, str) else ""
        self.refuse(f"is not supported; write one of: {', '.join(words)}{hint}")

    def _is_mapping(self) -> bool:
        if self.value is None:
            self.refuse("must be a mapping; delete the empty item")
        return self._mapping() is not None

    def _mapping(self) -> Mapping[str, object] | None:
        if self._known is not None or self.value is None:
            return self._known
        if not isinstance(self.value, _MAPPING):
            self._refuse_once(not_a_mapping(self.value))
            return None
        if not all(isinstance(name, str) and not _has_surrogate(name) for name in self.value):
            self._refuse_once("must have names that are valid strings; write them in quotes")
            return None
        self._known = self.value
        return self._known

    def _items(self) -> list[Field]:
        if self.value is None:
            return []
        if not isinstance(self.value, list | tuple):
            self._refuse_once(not_a_list(self.value))
            return []
        items = [Field(item, (self._way, f"[{i}]")) for i, item in enumerate(self.value)]
        self._parts.update(enumerate(items))
        return items

    def _refuse_once(self, why: str) -> None:
        if not self._faults:
            self.refuse(why)

    def _note(self, fault: Fault) -> None:
        if self._faults is None:
            self._faults = []
        self._faults.append(fault)


def _path(way: _Way) -> str:
    """Return the path of a way; a step in brackets is joined without a dot."""
    if isinstance(way, str):
        return way
    above, step = way
    path = _path(above)
    return f"{path}{step}" if step.startswith("[") else _join(path, step)


def _join(path: str, name: str) -> str:
    if not name.replace("_", "").replace("-", "").isalnum() or len(name) > _LONGEST_NAME:
        return f"{path}[{_plain(name)}]"
    return f"{path}.{name}" if path else name


def _plain(name: str) -> str:
    """Return a label's name (`a.example/b`) unchanged, but a long or unprintable one in quotes."""
    return name if name.isprintable() and len(name) <= _LONGEST_NAME else quoted(name)


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
