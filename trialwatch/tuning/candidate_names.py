"""Names in an output that may be metrics: before a number, or above a column of numbers.

A metric's name may have several words: `val loss: 0.3` is another metric than `loss`. The default
matcher decides: of the last words before a number, the fewest that it finds alone are the name.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from api.errors import UserError
from api.types import Json, LogFormat
from filters.extractor import ExtractionSpec, Extractor, extraction_spec
from filters.lines import LinePosition, LineSplitter
from filters.numbers import NUMBER
from filters.pattern import Pattern
from filters.pattern_finder import valid_utf8

_LOOKED_AT = 4 << 20
"""Bytes at the log's start that are read for names; metrics' names usually appear early."""
_MOST_PHRASES = 500
"""Different words before numbers that are looked at; each costs some 100 microseconds."""
_MOST_WORDS = 4
_WORD = (
    rb"[A-Za-z_][\w/.@%^-]{0,60}+(?>(?:'s(?!\w))?)"
    rb"(?>(?:\[[^\]\s]{1,20}\]|\([^()\s]{1,20}\))?)"
)
_VALUE_AHEAD = (
    rb"(?=[\"'`*)\]}>]{0,3}+[ \t]{0,40}+"
    rb"(?>(?:(?::=?|=>?|->|\||\xe2\x94\x82|is\b|was\b)[ \t]{0,40}+(?>(?:now\b[ \t]{1,9}+)?))?)"
    rb"[\"'\[(\\]{0,3}+(?>(?:[\w.]{0,12}\()?)[\"'\[(]{0,2}+" + NUMBER + rb")"
)
_PHRASE = re.compile(rb"(?<![\w/.@%^-])(?:" + _WORD + rb"[ \t]){0,3}?" + _WORD + _VALUE_AHEAD)
_SHOWN_VALUE = 60
"""Bytes behind a name in which its value stands."""
_CELL_ENDS = re.compile(rb"(?:[\s,|]|\xe2\x94\x82)+")
_WIDE_CELL_ENDS = re.compile(rb"[ \f]*\t[ \t\f]*|[ \f]{2,}|[,|]")
_RULE = re.compile(rb"[-+=|:_ \t~*]*")
_NUMBER = re.compile(NUMBER + rb"%?")


def names_in(log: bytes, form: ExtractionSpec) -> Iterator[str]:
    """Yield the names at the start of a log; a name may occur several times.

    `form` has the format and the patterns; its metrics do not matter.
    """
    log = log[:_LOOKED_AT]
    if form.log_format is LogFormat.JSON:
        yield from _json_names(log)
        return
    splitter = LineSplitter(LinePosition())
    for region in (*splitter.feed(log), *splitter.finish()):
        if form.patterns:
            yield from _pattern_names(region.text, form.patterns)
        else:
            yield from _printed_names(region.text)


def _pattern_names(text: bytes, patterns: Sequence[Pattern]) -> Iterator[str]:
    for line in text.splitlines():
        for pattern in patterns:
            with contextlib.suppress(TimeoutError):
                yield from (name for name, _ in pattern.matches(valid_utf8(line)))


def _printed_names(text: bytes) -> Iterator[str]:
    seen: set[bytes] = set()
    for found in _PHRASE.finditer(text):
        phrase = found[0]
        if phrase in seen or len(seen) >= _MOST_PHRASES:
            continue
        seen.add(phrase)
        line = text[found.start() : found.end() + _SHOWN_VALUE].split(b"\n", 1)[0]
        name = _name_in(phrase, line)
        if name:
            yield name
    yield from _header_names(text)


def _name_in(phrase: bytes, line: bytes) -> str:
    """Return the fewest last words of a phrase that the matcher finds at the line's start."""
    words = _text(phrase).split()
    for count in range(1, len(words) + 1):
        name = " ".join(words[-count:])
        if _finds(name, line):
            return name
    return ""


def _finds(name: str, line: bytes) -> bool:
    with contextlib.suppress(UserError):
        extractor = Extractor(extraction_spec([name]))
        return bool(extractor.feed(line + b"\n"))
    return False


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


def _header_names(text: bytes) -> Iterator[str]:
    """Yield the words and cells of each line that may be a table's header, above a row of numbers.

    The extraction decides: a name that is not in a table has no values.
    """
    header = b""
    for line in text.splitlines():
        if _RULE.fullmatch(line):
            continue
        cells = [cell for cell in _CELL_ENDS.split(line) if cell]
        numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in cells)
        if header and numbers * 2 >= len(cells) > 0:
            yield from map(_text, (*_CELL_ENDS.split(header), *_WIDE_CELL_ENDS.split(header)))
        header = line if cells and not numbers else b""


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace").strip()
