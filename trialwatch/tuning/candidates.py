"""The metrics that an output seems to have: every name that the default matcher would find.

The first pass collects names in the forms of `filters.name_matcher` and `filters.tables`. The
second pass is the extraction itself with all these names. So each candidate that is shown is found
in the same way when it is the objective.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from api.errors import UserError
from api.metric_values import finite
from api.types import Json, LogFormat, ObjectiveType
from filters.extractor import Extractor, extraction_spec
from filters.lines import LinePosition, LineSplitter
from filters.numbers import DECIMAL, NUMBER
from filters.points import ExtractedPoint
from trialwatch.tuning.vocabulary import (
    COUNTERS,
    LARGE_IS_GOOD,
    SMALL_IS_GOOD,
    TRAINING,
    VALIDATION,
    words_of,
)

_MOST_NAMES: Final = 300
"""More names than these are not metrics, but data."""
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


class Look(StrEnum):
    """What a name looks like."""

    METRIC = "metric"
    COUNTER = "counter"
    """An epoch, a step, a time: it says nothing about quality."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A name that the output has, with its values."""

    name: str
    count: int
    first: str
    last: str
    low: float
    high: float

    @property
    def look(self) -> Look:
        """Whether the name looks like a metric."""
        words = words_of(self.name)
        return Look.COUNTER if words and words[-1] in COUNTERS else Look.METRIC

    @property
    def direction(self) -> ObjectiveType:
        """Which direction is probably better; UNKNOWN if the name does not say."""
        return direction_of(self.name)


def candidates(log: bytes, log_format: LogFormat = LogFormat.TEXT) -> tuple[Candidate, ...]:
    """Return the metrics in a log, the most likely objective first.

    Values that are not finite numbers do not count.
    """
    as_json = log_format is LogFormat.JSON
    names = [*dict.fromkeys(_json_names(log) if as_json else _names(log))][:_MOST_NAMES]
    points: dict[str, list[str]] = {}
    for point in _points(names, log, log_format):
        if finite(point.value) is not None:
            points.setdefault(point.name, []).append(point.value)
    found = [_candidate(name, values) for name, values in points.items()]
    return tuple(sorted(found, key=_rank))


def direction_of(name: str) -> ObjectiveType:
    """Return which direction is probably better for a metric with this name."""
    words = words_of(name)
    if any(word in SMALL_IS_GOOD or word.endswith(("loss", "error")) for word in words):
        return ObjectiveType.MINIMIZE
    if any(word in LARGE_IS_GOOD or word.startswith("acc") for word in words):
        return ObjectiveType.MAXIMIZE
    return ObjectiveType.UNKNOWN


def _candidate(name: str, values: list[str]) -> Candidate:
    numbers = [float(value) for value in values]
    return Candidate(
        name=name,
        count=len(values),
        first=values[0],
        last=values[-1],
        low=min(numbers),
        high=max(numbers),
    )


# -- names ----------------------------------------------------------------------------------


def _points(names: Iterable[str], log: bytes, log_format: LogFormat) -> Iterator[ExtractedPoint]:
    try:
        extractor = Extractor(extraction_spec(names, log_format))
    except UserError:
        return  # no names
    yield from extractor.feed(log)
    yield from extractor.finish()


def _names(log: bytes) -> Iterator[str]:
    splitter = LineSplitter(LinePosition())
    for region in (*splitter.feed(log), *splitter.finish()):
        yield from _names_in(region.text)


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


def _rank(candidate: Candidate) -> tuple[int, int, int, int]:
    """Sort likely objectives first: with a known meaning, on validation data, with fractions."""
    words = set(words_of(candidate.name))
    known = candidate.direction is not ObjectiveType.UNKNOWN
    data = 0 if words & VALIDATION else 2 if words & TRAINING else 1
    largest_first = candidate.direction is not ObjectiveType.MAXIMIZE
    counter = candidate.look is Look.COUNTER and not known
    seldom = not known and candidate.count == 1
    return 2 * counter + seldom + (not known), data, largest_first, -candidate.count
