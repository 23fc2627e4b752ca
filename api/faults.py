"""The three forms of a fault's message, as the Kubernetes API writes them.

`Invalid value: <found>: <why; what to write instead>`, `Required value: <...>` and
`Forbidden: <...>`: users know them from kubectl, and scripts search for them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from api.errors import Fault

_LONGEST = 80
"""The most characters of a user's text, or bits of a number, that a message repeats."""
_COMPARED = 300
"""The most known words to compare one word with; each comparison takes about 10 microseconds."""

_VARIABLE = re.compile(r"\d+[.:]\d[\d.:e+-]*|\d{4,}")


def invalid(path: str, value: object, why: str) -> Fault:
    """Return the fault of a value that is present but cannot be used."""
    return Fault(path, f"Invalid value: {shown(value)}: {why}")


def required(path: str, why: str) -> Fault:
    """Return the fault of a missing value."""
    return Fault(path, f"Required value: {why}")


def forbidden(path: str, why: str) -> Fault:
    """Return the fault of a value that must be absent, or must not change."""
    return Fault(path, f"Forbidden: {why}")


def shown(value: object) -> str:
    """Describe any JSON value in a few printable characters, for a message.

    Never fails and never recurses: a value may have a million levels, or contain a surrogate.
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
        return "a whole number with very many digits"
    return str(value) if isinstance(value, int | float) else f"a {type(value).__name__}"


def quoted(text: str) -> str:
    """Put a text in quotes as YAML and JSON do; the end of a long text is cut off."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{visible(plain)}"'


def visible(text: str) -> str:
    """Escape unprintable characters: line ends, terminal codes, half of a surrogate pair."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def without_numbers(text: str) -> str:
    """Return a text without numbers that vary (values, times, process ids), to compare causes.

    Short whole numbers stay: exit statuses differ.
    """
    return _VARIABLE.sub("0", text)


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Return `; did you mean "x"?` if one of the known words is close, else "".

    `likeness` is difflib's ratio: 1.0 for equal words, 0.92 for `comand` and `command`.
    """
    name = nearest_of(word, known, likeness=likeness)
    return f'; did you mean "{name}"?' if name else ""


def nearest_of(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Return the known word that is closest, "" if none is close; see `nearest`."""
    by_folded = {name.casefold(): name for name in islice(known, _COMPARED)}
    close = difflib.get_close_matches(word[:100].casefold(), by_folded, n=1, cutoff=likeness)
    return by_folded[close[0]] if close else ""


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
