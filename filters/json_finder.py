"""The finder for JSON logs: one object a line.

A metric's name is a key, or else a dotted path into nested objects. Strings and numbers are values;
their text stays as written. The line's step is its key `global_step`, `step` or `epoch`. Lines that
are not objects are counted and skipped. So are values of other types.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from api.report_limits import LARGEST_STEP
from api.timestamps import is_rfc3339
from filters.line_timestamps import epoch_stamp
from filters.pattern_finder import valid_utf8
from filters.points import ExtractedPoint
from filters.region import LineCursor, Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from filters.points import ExtractionCounters


class _NumberText(str):
    """A JSON number as the text of the line."""

    __slots__ = ()


_DECODER = json.JSONDecoder(
    parse_float=_NumberText, parse_int=_NumberText, parse_constant=_NumberText
)
_MISSING = object()
STEP_KEYS: Final = ("global_step", "step", "epoch")
"""The keys of a step, in the object of a line; the first that has a whole number counts."""
_WHOLE_NUMBER = re.compile(r"[0-9]{1,19}(?:\.0{1,20})?")
_NOT_BLANK = re.compile(rb"^[ \t]*+(\{)[^\n]*+|\S[^\n]*+", re.MULTILINE)
"""A line that is not blank. The group takes part where the line may be an object.

So the search skips blank lines and progress bars without a step of Python for each.
"""


class JsonFinder:
    """Reads each line as a JSON object and takes the metrics from it."""

    def __init__(self, names: Sequence[str], *, steps: bool = True) -> None:
        """Take the metric names. Points of one line come in this order.

        `steps`: whether to read the step of each object.
        """
        self._names, self._steps = names, steps

    def find(self, region: Region, counters: ExtractionCounters) -> list[ExtractedPoint]:
        """Return the region's points: by line, then in the order of the metric names."""
        points: list[ExtractedPoint] = []
        cursor = LineCursor(region)
        for line in _NOT_BLANK.finditer(region.text):
            if line.lastindex is None:
                counters.not_json += 1
            else:
                cursor.move_to(line.start())
                points += self._on_line(cursor, counters)
        return points

    def _on_line(self, line: LineCursor, counters: ExtractionCounters) -> list[ExtractedPoint]:
        document = _object(line.content)
        if document is None:
            counters.not_json += 1
            return []
        pairs = []
        for name in self._names:
            value = _look_up(document, name)
            if isinstance(value, str):
                pairs.append((name, str(value)))
            elif value is not _MISSING:
                counters.wrong_type += 1
        if not pairs:
            return []
        stamp, bounds = _stamp(document.get("timestamp")), line.bounds
        step = _step(document) if self._steps else None
        return [
            ExtractedPoint(name, value, stamp, line.number, *bounds, step) for name, value in pairs
        ]


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        document = _DECODER.decode(valid_utf8(content).decode())
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _look_up(document: dict[str, Any], name: str) -> object:
    """Return the value under a key, or else under a dotted path; keys may contain dots."""
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


def _step(document: dict[str, Any]) -> int | None:
    """Return the first of `STEP_KEYS` that is a whole number from 0 on; None if none is."""
    for key in STEP_KEYS:
        value = document.get(key)
        if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value):
            step = int(value.partition(".")[0])
            if step <= LARGEST_STEP:
                return step
    return None


def _stamp(value: object) -> str | None:
    if isinstance(value, _NumberText):
        return epoch_stamp(value)
    if isinstance(value, str) and is_rfc3339(value):
        return value
    return None
