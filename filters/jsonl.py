"""The finder for JSON logs: one object a line.

A metric is looked up by its name as a key, else as a dotted path into nested objects. Strings and
numbers are values, their text as it is written. A line that is no object is counted and passed
over, and so is a metric whose value is of another type.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from api.timestamps import is_rfc3339
from filters.patterned import valid_utf8
from filters.points import Found
from filters.stamps import epoch_stamp
from filters.text import LineCursor, Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filters.points import Tally


class _NumberText(str):
    """A JSON number, kept as the text it was written with."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    parse_float=_NumberText, parse_int=_NumberText, parse_constant=_NumberText
)
_MISSING = object()
_WRITTEN = re.compile(rb"^[ \t]*+(\{)[^\n]*+|\S[^\n]*+", re.MULTILINE)
"""A line that is not blank, with a group where it may be an object.

So blank lines and progress bars cost a step of the search each, no step of Python.
"""


class JsonFinder:
    """Reads each line as a JSON object and takes the metrics asked for."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the metric names; on one line points come in their order."""
        self._names = names

    def find(self, region: Region, tally: Tally) -> list[Found]:
        """Return the region's points: by line, then in the order of the names asked for."""
        found: list[Found] = []
        cursor = LineCursor(region)
        for line in _WRITTEN.finditer(region.text):
            if line.lastindex is None:
                tally.not_json += 1
            else:
                cursor.move_to(line.start())
                found += self._on_line(cursor, tally)
        return found

    def _on_line(self, line: LineCursor, tally: Tally) -> list[Found]:
        document = _object(line.content)
        if document is None:
            tally.not_json += 1
            return []
        pairs = []
        for name in self._names:
            value = _look_up(document, name)
            if isinstance(value, str):
                pairs.append((name, str(value)))
            elif value is not _MISSING:
                tally.wrong_type += 1
        if not pairs:
            return []
        stamp, bounds = _stamp(document.get("timestamp")), line.bounds
        return [Found(name, value, stamp, line.number, *bounds) for name, value in pairs]


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        document = _DECODER.decode(valid_utf8(content).decode())
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _look_up(document: dict[str, Any], name: str) -> object:
    """Return the value under a key, else under a dotted path; a key may hold dots itself."""
    if name in document:
        return document[name]
    head, dot, rest = name.partition(".")
    while dot:
        nested = document.get(head)
        if isinstance(nested, dict):
            value = _look_up(nested, rest)
            if value is not _MISSING:
                return value
        more, dot, rest = rest.partition(".")
        head = f"{head}.{more}"
    return _MISSING


def _stamp(value: object) -> str | None:
    if isinstance(value, _NumberText):
        return epoch_stamp(value)
    if isinstance(value, str) and is_rfc3339(value):
        return value
    return None
