"""Cuts a batch into reports that the DB manager takes: `api.report_limits` says how large."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from api.report_limits import LARGEST_MESSAGE, LONGEST_VALUE, MOST_POINTS
from api.types import MetricPoint
from collector.core.batches import Batch

_POINT_BYTES = 48
"""Of a point without name and value: the time stamp, tags and lengths."""
_MOST_BYTES = LARGEST_MESSAGE // 2
"""Of the points of one report; the rest is for the names around them."""


def parts_of(batch: Batch) -> tuple[Batch, ...]:
    """Return the reports of a batch, numbered from its own number on; the last has the outcome.

    The same batch always has the same parts. A point whose value is longer than the store keeps is
    left out: no number is that long.
    """
    cut = list(_cut(batch.points)) or [()]
    parts = [
        Batch(source=batch.source, sequence=number, points=points)
        for number, points in enumerate(cut, batch.sequence)
    ]
    return (*parts[:-1], replace(parts[-1], outcome=batch.outcome))


def _cut(points: tuple[MetricPoint, ...]) -> Iterator[tuple[MetricPoint, ...]]:
    part: list[MetricPoint] = []
    size = 0
    for point in points:
        if len(point.value) > LONGEST_VALUE:
            continue
        own = _POINT_BYTES + _length(point.name) + _length(point.value)
        if part and (size + own > _MOST_BYTES or len(part) == MOST_POINTS):
            yield tuple(part)
            part, size = [], 0
        part.append(point)
        size += own
    if part:
        yield tuple(part)


def _length(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
