"""The metrics that an output seems to have: every name that the extraction would find.

The first pass collects names (`candidate_names`). The second pass is the extraction itself with all
these names. So each candidate that is shown is found in the same way when it is the objective.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from api.errors import UserError
from api.metric_values import finite
from api.types import LogFormat, ObjectiveType
from filters.default_finder import DefaultFinder
from filters.extractor import ExtractionSpec, Extractor, extraction_spec
from filters.lines import LinePosition, LineSplitter
from filters.points import ExtractedPoint, ExtractionCounters
from trialwatch.tuning.candidate_names import names_in
from trialwatch.tuning.output_sample import sample_of
from trialwatch.tuning.vocabulary import (
    COUNTERS,
    LARGE_IS_GOOD,
    SMALL_IS_GOOD,
    TRAINING,
    VALIDATION,
    words_of,
)

MOST_NAMES: Final = 40
"""More names than these are not metrics, but data; each one costs a search of the log."""


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


def candidates(
    log: bytes, log_format: LogFormat = LogFormat.TEXT, filters: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """Return the metrics in a log, the most likely objective first.

    Values that are not finite numbers do not count, and of a long log only its start and its end
    (`output_sample`). `filters` are `metricsFormat`s.

    Raises:
        UserError: a filter is wrong.
    """
    form = extraction_spec(["any"], log_format, filters)
    log = sample_of(log).text
    names = [name for name in dict.fromkeys(names_in(log, form)) if _can_be_asked_for(name)]
    names.sort(key=lambda name: direction_of(name) is ObjectiveType.UNKNOWN)
    points: dict[str, list[str]] = {}
    for point in _points(replace(form, metrics=tuple(names[:MOST_NAMES])), log):
        if finite(point.value) is not None:
            points.setdefault(point.name, []).append(point.value)
    found = [_candidate(name, values) for name, values in points.items()]
    return tuple(sorted(found, key=_rank))


def _points(form: ExtractionSpec, log: bytes) -> Iterator[ExtractedPoint]:
    if form.log_format is LogFormat.TEXT and not form.patterns:
        yield from _points_of_each(form.metrics, log)
    elif form.metrics:
        extractor = Extractor(form)
        yield from extractor.feed(log)
        yield from extractor.finish()


def _points_of_each(names: Sequence[str], log: bytes) -> Iterator[ExtractedPoint]:
    """Yield what each name finds if it is the only one, as it is when it is the objective."""
    finders = [DefaultFinder([name]) for name in names]
    lines, counters = LineSplitter(LinePosition()), ExtractionCounters()
    for region in (*lines.feed(log), *lines.finish()):
        for finder in finders:
            yield from finder.find(region, counters)


def _can_be_asked_for(name: str) -> bool:
    with contextlib.suppress(UserError):
        return bool(extraction_spec([name]))
    return False


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


def _rank(candidate: Candidate) -> tuple[int, int, int, int]:
    """Sort likely objectives first: with a known meaning, on validation data, with fractions."""
    words = set(words_of(candidate.name))
    known = candidate.direction is not ObjectiveType.UNKNOWN
    data = 0 if words & VALIDATION else 2 if words & TRAINING else 1
    largest_first = candidate.direction is not ObjectiveType.MAXIMIZE
    counter = candidate.look is Look.COUNTER and not known
    seldom = not known and candidate.count == 1
    return 2 * counter + seldom + (not known), data, largest_first, -candidate.count
