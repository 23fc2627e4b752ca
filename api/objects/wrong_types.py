"""What a fault says of a value of a wrong type: what it must be, what it is, how to write it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from api.faults import quoted, shown

_LARGEST = 2**31 - 1
"""A message writes no larger number out."""


def not_a_string(value: object) -> str:
    """Return why a value is refused where a string belongs."""
    if isinstance(value, bool):
        return _boolean_for_string(value)
    why = f"must be a string, not {_type(value)}"
    quotes = f"; write it in quotes: {quoted(shown(value))}"
    return why + quotes if isinstance(value, int | float) else why


def not_a_whole_number(value: object) -> str:
    """Return why a value is refused where a whole number belongs."""
    found = "a fraction" if isinstance(value, float) else _type(value)
    return f"must be a whole number, not {found}; {_number_remedy(value)}"


def not_a_number(value: object) -> str:
    """Return why a value is refused where a number belongs."""
    return f"must be a number, not {_type(value)}; {_number_remedy(value)}"


def not_a_boolean(value: object) -> str:
    """Return why a value is refused where true or false belongs."""
    return f"must be true or false, not {_type(value)}"


def not_a_mapping(value: object) -> str:
    """Return why a value is refused where a mapping belongs."""
    return f"must be a mapping, not {_type(value)}"


def not_a_list(value: object) -> str:
    """Return why a value is refused where a list belongs."""
    return f"must be a list, not {_type(value)}; put `- ` before each item"


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "true or false (in YAML, yes, no, on and off mean true or false)"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def _boolean_for_string(value: bool) -> str:  # noqa: FBT001 - its only argument
    """Say how to write a text that YAML reads as a boolean; the text itself is not known here."""
    word = "true" if value else "false"
    texts = "y, yes, on" if value else "n, no, off"
    example = "y" if value else "n"
    return (
        f"must be a string, not {word}: YAML reads {texts} and {word} without quotes as {word};"
        f' write it in quotes, such as "{example}"'
    )


def _number_remedy(value: object) -> str:
    if isinstance(value, str):
        return "write it without quotes" if _reads_as_number(value) else "write digits"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST:
        return f"write {int(value)}, without a decimal point"
    return "write digits only"


def _reads_as_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
