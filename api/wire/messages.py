"""Making a message, and finding the field that cannot be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from google.protobuf.message import Message

from api.errors import UserError
from api.faults import shown

_Message = TypeVar("_Message", bound=Message)
_Noun = TypeVar("_Noun")


def made(kind: type[_Message], **fields: object) -> _Message:
    """Make a message; None leaves a field unset.

    Raises:
        UserError: a text that is no Unicode, or a number of more than 32 bits.
    """
    try:
        return kind(**fields)
    except ValueError:
        for name, value in fields.items():
            for place, part in _parts(value):
                _refuse_if_unfit(kind, name, place, part)
        raise


def known(table: Mapping[int, _Noun], number: int, field: str) -> _Noun:
    """Look an enum's number up; a newer program may know more of them.

    Raises:
        UserError: the number is not in the table.
    """
    if number not in table:
        numbers = ", ".join(map(str, sorted(table)))
        raise UserError(f"{field}: {number} is not known here; send one of {numbers}")
    return table[number]


def _parts(value: object) -> Iterable[tuple[str, object]]:
    """Take a field's value apart: each item of a list and of a map can be unfit by itself."""
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
        why = "is no Unicode text; remove what cannot be encoded"
        why = why if text else "is out of range; the wire has 32 bits for it"
        raise UserError(f"{kind.DESCRIPTOR.name}.{name}{place}: {shown(part)} {why}") from None
