"""Names in an output that may be metrics: before a number, or above a column of numbers.

A metric's name may have several words: `val loss: 0.3` is another metric than `loss`. The default
matcher decides: of the last words before a number, the fewest that it finds alone are the name.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from api.types import Json, LogFormat
from filters.extractor import ExtractionSpec, Extractor, extraction_spec
from filters.lines import LinePosition, LineSplitter
from filters.loggers import logger_of
from filters.numbers import NUMBER
from filters.pattern import Pattern
from filters.pattern_finder import valid_utf8
from filters.table_cells import (
    BAR,
    ONE_NUMBER,
    PROGRESS_BAR,
    bar_cells,
    comma_cells,
    gap_cells,
    is_rule,
    split_prefix,
)

MOST_PHRASES = 300
"""Different words before numbers that are tried; each costs about 0.1 ms."""
_MOST_ALIKE = 8
"""Of words that differ only in their digits, such as `file0017.dat`, so many are tried."""
MOST_HEADERS = 200
"""Different lines that are taken for the header of a table."""
_LONGEST_LINE = 1 << 12
"""Bytes of a line in a table."""
_WORD = (
    rb"(?>%?)[A-Za-z_][\w/.@%^-]{0,60}+(?>(?:'s(?!\w))?)"
    rb"(?>(?:\[[^\]\s]{1,20}\]|\([^()\s]{1,20}\))?)"
)
_VALUE_AHEAD = (
    rb"(?=[\"'`*)\]}>\\]{0,4}+[ \t]{0,40}+(?>(?:is\b|was\b)?)[ \t]{0,9}+(?>(?:now\b)?)[ \t]{0,9}+"
    rb"(?>(?:(?::=?|=>?|->|\||\xe2\x94\x82)[ \t]{0,40}+)?)(?>(?:(?:num|int)[ ])?)"
    rb"[\"'\[(\\]{0,3}+(?>(?:[\w.]{0,12}\()?)[\"'\[(]{0,2}+"
    rb"(?:" + NUMBER + rb"|\d++/\d++[ ]\(\d))"
)
_PHRASE = re.compile(rb"(?<![\w/.@%^-])(?:" + _WORD + rb"[ \t]){0,3}?" + _WORD + _VALUE_AHEAD)
_COCO = re.compile(
    rb"^[ ]*([A-Za-z][\w ()]{0,60}@\[[^\]\n]{1,80}\])[ ]*=[ ]*" + NUMBER, re.MULTILINE
)
"""A name as the evaluation of COCO prints it: `Average Precision (AP) @[ IoU=0.50 | area=all ]`."""
_LIST_AHEAD = re.compile(rb"[ \t:=]{0,9}(?:[\w.]{0,12}\()?\[[^\]\n]*,")
_SHOWN_VALUE = 60
"""Bytes behind a name in which its value stands."""
_DIGITS = re.compile(rb"\d+")
_COUNT = re.compile(rb"[^A-Za-z\x80-\xff]*\d[^A-Za-z\x80-\xff]*\Z")
"""A cell such as `3`, `1/3` or `00:12`: its line is not a header."""
_MOST_WORDS = 4
_AROUND_A_NAME = b"():,|[]'\"*` "


def names_in(log: bytes, form: ExtractionSpec) -> Iterator[str]:
    """Yield the names in a log; a name may occur several times. The work is linear and bounded.

    `form` has the format and the patterns; its metrics do not matter.
    """
    if form.log_format is LogFormat.JSON:
        yield from _json_names(log)
        return
    phrases = _Phrases()
    headers = _Headers()
    splitter = LineSplitter(LinePosition())
    for region in (*splitter.feed(log), *splitter.finish()):
        if form.patterns:
            yield from _pattern_names(region.text, form.patterns)
        else:
            yield from headers.names(region.text)
            yield from phrases.names(region.text)


def _pattern_names(text: bytes, patterns: Sequence[Pattern]) -> Iterator[str]:
    for line in text.splitlines():
        for pattern in patterns:
            with contextlib.suppress(TimeoutError):
                yield from (name for name, _ in pattern.matches(valid_utf8(line)))


class _Phrases:
    """Finds names before their numbers, in the regions of one log."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._alike: Counter[bytes] = Counter()

    def names(self, text: bytes) -> Iterator[str]:
        for found in _COCO.finditer(text):
            if self._is_new(found[1]):
                yield _text(found[1])
        fairseq = b" | INFO | " in text
        for found in _PHRASE.finditer(text):
            phrase = found[0]
            logger = logger_of(text, found.start()) if fairseq else ""
            if not self._is_new(logger.encode() + phrase):
                continue
            line = text[found.start() : found.end() + _SHOWN_VALUE].split(b"\n", 1)[0]
            name = _name_in(phrase, line)
            if name:
                yield name
            if name and logger:
                yield f"{logger}_{name}"
            if name and _LIST_AHEAD.match(line, len(phrase)):
                yield f"{name}[mean]"

    def _is_new(self, phrase: bytes) -> bool:
        """Return whether a phrase is tried: no other one is equal, and few are like it."""
        if phrase in self._seen or len(self._seen) >= MOST_PHRASES:
            return False
        shape = _DIGITS.sub(b"0", phrase)
        self._alike[shape] += 1
        if self._alike[shape] > _MOST_ALIKE:
            return False
        self._seen.add(phrase)
        return True


def _name_in(phrase: bytes, line: bytes) -> str:
    """Return the fewest last words of a phrase that the matcher finds at the line's start."""
    words = _text(phrase).split()
    for count in range(1, len(words) + 1):
        name = " ".join(words[-count:])
        before = phrase.removesuffix(name.encode())
        if before != phrase and _finds_one(before + _ANY_NAME.encode() + line[len(phrase) :]):
            return name
    return ""


_ANY_NAME: Final = "metric"
"""Stands for each name that is tried, because it takes milliseconds to compile a name's pattern."""


def _finds_one(line: bytes) -> bool:
    extractor = Extractor(extraction_spec([_ANY_NAME]))
    return bool(extractor.feed(line + b"\n"))


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


class _Headers:
    """Finds the names in the headers of tables, above rows with numbers, in the regions of a log.

    The extraction decides: a name that is not in a table has no values.
    """

    def __init__(self) -> None:
        self._header: tuple[bytes, ...] = ()
        self._seen: set[tuple[bytes, ...]] = set()

    def names(self, text: bytes) -> Iterator[str]:
        for line in text.splitlines():
            if not line or len(line) > _LONGEST_LINE or is_rule(line):
                continue
            if line.startswith(b"$"):  # a list of R has one name on a line of its own
                yield _text(line[1:])
                continue
            cells = _words(line)
            numbers = sum(ONE_NUMBER.match(cell) is not None for cell in cells)
            if self._header and numbers * 3 >= len(cells) > 0:
                yield from map(_text, self._take())
            elif cells and not any(map(_COUNT.match, cells)):
                self._header = _header_cells(line)

    def _take(self) -> tuple[bytes, ...]:
        """Return the cells of the last header, once; none if there were too many headers."""
        header, self._header = self._header, ()
        if header in self._seen or len(self._seen) >= MOST_HEADERS:
            return ()
        self._seen.add(header)
        return header


def _words(line: bytes) -> list[bytes]:
    """Return the words of a line in a table, without what stands before its first cell."""
    line = PROGRESS_BAR.sub(b"", line)
    if b"," in line:
        line = split_prefix(line)[1]
    return BAR.sub(b" ", line).replace(b",", b" ").split()


def _header_cells(line: bytes) -> tuple[bytes, ...]:
    """Return what may be a name in a header: its words, and its cells of several words."""
    line = PROGRESS_BAR.sub(b"", line)
    if b"," in line:
        line = split_prefix(line)[1]
    cut = comma_cells if b"," in line else bar_cells if BAR.search(line) else gap_cells
    wide = [cell for part in cut(line) for cell in gap_cells(part)]
    words = BAR.sub(b" ", line).replace(b",", b" ").split()
    several = (cell for cell in wide if 1 < len(cell.split()) <= _MOST_WORDS and b"=" not in cell)
    cells = (*map(_bare, words), *several)
    return tuple(dict.fromkeys(cell for cell in cells if cell))


def _bare(word: bytes) -> bytes:
    """Return a word without quotes and brackets around it; `Var(y)` has both brackets itself."""
    bare = word.strip(_AROUND_A_NAME)
    return word if word.count(b"(") == word.count(b")") > bare.count(b")") else bare


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace").strip()
