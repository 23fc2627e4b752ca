"""Names in an output that may be metrics: before a number, or above a column of numbers.

They have the forms of `filters.name_matcher` and `filters.tables`, or those of the user's patterns.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from api.types import Json, LogFormat
from filters.extractor import ExtractionSpec
from filters.lines import LinePosition, LineSplitter
from filters.numbers import DECIMAL, NUMBER
from filters.pattern import Pattern
from filters.pattern_finder import valid_utf8

_WORD = rb"[A-Za-z_][\w/.@%-]{0,60}"
_KEYED = re.compile(
    rb"((?:^|(?<=[,;|(\[{>\t-] )|(?<=[,;|(\[{>\t]))" + _WORD + rb"(?: [A-Za-z][\w/.@%-]{0,30}){1,2}"
    rb"|" + _WORD + rb")"
    rb"[\"'`*)\]}>]{0,3}[ \t]*(?::=?|=>?|->|\|)(?!=)[ \t]*[\"'\[(]{0,2}"
    rb"(?:[\w.]{0,12}\()?" + NUMBER,
    re.MULTILINE,
)
_BLANK = re.compile(rb"(?:^|(?<=[\s,;|\[(]))(" + _WORD + rb")[ \t]+" + DECIMAL, re.MULTILINE)
_CELLS = re.compile(rb"[ \f]*\t[ \t\f]*|[ \f]{2,}")
_FEWEST_CELLS = 3


def names_in(log: bytes, form: ExtractionSpec) -> Iterator[str]:
    """Yield the names in a log; a name may occur many times.

    `form` has the format and the patterns; its metrics do not matter.
    """
    if form.log_format is LogFormat.JSON:
        yield from _json_names(log)
        return
    splitter = LineSplitter(LinePosition())
    for region in (*splitter.feed(log), *splitter.finish()):
        if form.patterns:
            yield from _pattern_names(region.text, form.patterns)
        else:
            yield from _names_in(region.text)


def _pattern_names(text: bytes, patterns: Sequence[Pattern]) -> Iterator[str]:
    for line in text.splitlines():
        for pattern in patterns:
            with contextlib.suppress(TimeoutError):
                yield from (name for name, _ in pattern.matches(valid_utf8(line)))


def _names_in(log: bytes) -> Iterator[str]:
    for found in _KEYED.finditer(log):
        yield _text(found[1])
        yield _text(found[1].rpartition(b" ")[2])
    for found in _BLANK.finditer(log):
        yield _text(found[1])
    yield from _header_names(log)


def _json_names(log: bytes) -> Iterator[str]:
    """Yield the path of each number in lines that are JSON objects."""
    for line in log.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            yield from _paths(json.loads(line), "")


def _paths(value: Json, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _paths(part, f"{path}.{name}" if path else name)
    elif path and not isinstance(value, bool) and isinstance(value, int | float):
        yield path


def _header_names(log: bytes) -> Iterator[str]:
    """Yield the cells of each line that looks like a table's header, above a row of numbers."""
    previous: list[bytes] = []
    for line in log.splitlines():
        cells = _CELLS.split(line.strip())
        numbers = sum(re.fullmatch(NUMBER, cell) is not None for cell in cells)
        if previous and len(cells) == len(previous) and numbers * 2 >= len(cells):
            yield from map(_text, previous)
        previous = cells if len(cells) >= _FEWEST_CELLS and not numbers else []


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace").strip()
