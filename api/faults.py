"""The three sentences of a fault, in the form in which the Kubernetes API writes them.

`Invalid value: <found>: <why; what to write instead>`, `Required value: <...>` and
`Forbidden: <...>`: users know them from kubectl, and scripts look for them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from api.errors import Fault

_LONGEST = 80
"""Characters of a user's text, or bits of a number, that a message repeats."""
_COMPARED = 300
"""Known words that one word is compared with, at some ten microseconds each."""


def invalid(path: str, value: object, why: str) -> Fault:
    """Make the fault of a value that is there but cannot be used."""
    return Fault(path, f"Invalid value: {shown(value)}: {why}")


def required(path: str, why: str) -> Fault:
    """Make the fault of a value that is missing."""
    return Fault(path, f"Required value: {why}")


def forbidden(path: str, why: str) -> Fault:
    """Make the fault of a value that may not be there, or may not be changed."""
    return Fault(path, f"Forbidden: {why}")


def shown(value: object) -> str:
    """Write any JSON value so short and plain that it fits into a message.

    Never fails and never descends: a value may be nested a million deep, or hold a surrogate.
    """
    if isinstance(value, Mapping):
        return f"a mapping with {_count(len(value), 'key')}"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Sequence):
        return f"a list of {_count(len(value), 'item')}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > _LONGEST:
        return "a whole number of very many digits"
    return str(value) if isinstance(value, int | float) else f"a {type(value).__name__}"


def quoted(text: str) -> str:
    """Put a text in quotes as YAML and JSON do; a long one loses its end."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{visible(plain)}"'


def visible(text: str) -> str:
    """Escape what does not print: line ends, terminal codes, half of a surrogate pair."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Say `; did you mean "x"?` where one of the known words is close, else nothing.

    `likeness` is difflib's ratio: 1.0 for equal words, 0.92 for `comand` and `command`.
    """
    by_folded = {name.casefold(): name for name in islice(known, _COMPARED)}
    close = difflib.get_close_matches(word[:100].casefold(), by_folded, n=1, cutoff=likeness)
    return f'; did you mean "{by_folded[close[0]]}"?' if close else ""


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
