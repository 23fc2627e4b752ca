"""Try a metricsFormat: which places of a text would be collected, and which lines almost were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.types import LogFormat
from filters.extractor import Extractor, extraction_spec
from filters.near_misses import NearMisses

MOST_BYTES = 1 << 20
"""Of a longer text, the first bytes are read."""
_MOST_POINTS = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPoint:
    """One value that would be collected."""

    name: str
    value: str
    timestamp: str | None
    """RFC 3339, from the line itself."""
    line: int
    """From 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlmostFound:
    """A line that is similar to a line of a metric."""

    metric: str
    line: int
    text: str
    why: str
    """Why it did not match, and what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCount:
    """How many points a metric has."""

    name: str
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatTrial:
    """The result of a try."""

    lines: int
    how: str
    """How metrics are found, in a few words."""
    counts: tuple[MetricCount, ...]
    points: tuple[FoundPoint, ...]
    """Up to 5,000."""
    is_cut: bool
    """Whether the text or the points were too many, so that the result shows only the first."""
    near_misses: tuple[AlmostFound, ...]
    """For each metric without a point, its most similar lines."""
    notices: tuple[str, ...]


def try_format(
    text: str, metrics: Sequence[str], log_format: LogFormat, patterns: Sequence[str]
) -> FormatTrial:
    """Return what would be collected from a text.

    Args:
        text: what a trainer has printed.
        metrics: the names of the metrics.
        log_format: TEXT or JSON.
        patterns: each a `metricsFormat`; none means that metrics are found by their names.

    Raises:
        UserError: a name or a pattern cannot be used; the message says why.
    """
    content = text.encode("utf-8", "replace")
    wanted = extraction_spec(metrics, log_format, patterns)
    near = NearMisses(wanted.metrics, wanted.how)
    extractor = Extractor(wanted, near_misses=near)
    found = [*extractor.feed(content[:MOST_BYTES]), *extractor.finish()]
    counts = extractor.counters.by_metric
    return FormatTrial(
        lines=extractor.counters.lines,
        how=wanted.how,
        counts=tuple(MetricCount(name=name, points=counts.get(name, 0)) for name in wanted.metrics),
        points=tuple(
            FoundPoint(name=one.name, value=one.value, timestamp=one.timestamp, line=one.line)
            for one in found[:_MOST_POINTS]
        ),
        is_cut=len(content) > MOST_BYTES or len(found) > _MOST_POINTS,
        near_misses=tuple(
            AlmostFound(metric=name, line=miss.line, text=miss.text, why=miss.why)
            for name in wanted.metrics
            if not counts.get(name)
            for miss in near.of(name)
        ),
        notices=wanted.notices,
    )
