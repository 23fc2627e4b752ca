"""Create a message, and find the field that does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from google.protobuf.message import Message

from api.errors import UserError
from api.faults import shown

_Message = TypeVar("_Message", bound=Message)
_Noun = TypeVar("_Noun")


def made(kind: type[_Message], **fields: object) -> _Message:
    """Create a message; None leaves a field unset.

    Raises:
        UserError: a text is not valid Unicode, or a number has more than 32 bits.
    """
    try:
        return kind(**fields)
    except ValueError:
        for name, value in fields.items():
            for place, part in _parts(value):
                _refuse_if_unfit(kind, name, place, part)
        raise


def known(table: Mapping[int, _Noun], number: int, field: str) -> _Noun:
    """Return the value for an enum's number; a newer program may send unknown numbers.

    Raises:
        UserError: the number is not in the table.
    """
    if number not in table:
        numbers = ", ".join(map(str, sorted(table)))
        raise UserError(f"{field}: {number} is unknown; send one of {numbers}")
    return table[number]


def _parts(value: object) -> Iterable[tuple[str, object]]:
    """Yield the parts of a field's value: each item of a list or map may be the one that fails."""
    if isinstance(value, tuple | list):
        return ((f"[{index}]", [item]) for index, item in enumerate(value))
    if isinstance(value, Mapping):
        return ((f"[{shown(key)}]", {key: item}) for key, item in value.items())
    return (("", value),)


def _refuse_if_unfit(kind: type[Message], name: str, place: str, part: object) -> None:
    try:
        kind(**{name: part})
    except ValueError as error:
        if isinstance(part, list):
            (part,) = part
        elif isinstance(part, Mapping):
            (part,) = part.values()
        text = isinstance(error, UnicodeError)
        why = "is not valid Unicode; remove the characters that cannot be encoded"
        why = why if text else "does not fit into 32 bits; send a smaller number"
        raise UserError(f"{kind.DESCRIPTOR.name}.{name}{place}: {shown(part)} {why}") from None
