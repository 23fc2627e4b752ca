"""From bytes to batches. The same bytes, position and reading time give the same batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from api.names import UNAVAILABLE, UNAVAILABLE_TIME
from api.timestamps import FIRST_MICROS, LAST_MICROS, from_micros
from api.types import MetricPoint
from collector.core.stop_rules import StopRules, StopState
from collector.streams.stream_position import digest_of
from filters.extractor import Position, WantedMetrics
from filters.fold import Folded, fold
from filters.near_misses import NearMisses
from filters.points import Damage, ExtractedPoint, ExtractionCounters

BATCH_POINTS = 1_000
"""Points that close a batch, at the end of the piece of bytes in which they are reached."""
_LEAST_PIECE = 16 * 1024
"""Bytes of one search. Fewer cost speed; more make batches of dense logs long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOver:
    """What an attempt's earlier points mean for later points. A part of the checkpoint."""

    last_stamp: int = FIRST_MICROS
    """The last time stamp that the collector gave, in microseconds since 1970."""
    stop: StopState = field(default_factory=StopState)
    folds: Mapping[str, Folded] = field(default_factory=dict)
    """Each metric's points in short, for the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One report to the store."""

    source: str
    sequence: int
    """The report's number in its source, from 1."""
    points: tuple[MetricPoint, ...]
    """Each has a time stamp."""
    outcome: str | None = None
    """On a source's last report, one of `api.names.OUTCOME_...`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """The points of a range of bytes."""

    points: tuple[ExtractedPoint, ...]
    end: Position
    """Where to continue."""
    counters: ExtractionCounters
    complete: bool
    """All bytes were searched; if they are final, their unfinished last line too."""
    damage: Damage | None = None
    """What could not be read."""


def extract(
    wanted: WantedMetrics,
    start: Position,
    data: bytes,
    *,
    final: bool,
    near_misses: NearMisses | None = None,
) -> Extraction:
    """Find the points in the bytes at a position, up to the place where a batch closes.

    `final`: no byte will follow, so the unfinished last line counts too. `near_misses` sees all
    regions that are searched; it does not change the result.
    """
    extractor = wanted.extractor(start, near_misses)
    points: list[ExtractedPoint] = []
    piece = max(_LEAST_PIECE, len(data) // 8)
    complete = True
    for offset in range(0, len(data), piece):
        points += extractor.feed(data[offset : offset + piece])
        if len(points) >= BATCH_POINTS:
            complete = False
            break
    if complete and final:
        points += extractor.finish()
    return Extraction(
        points=tuple(points),
        end=extractor.position,
        counters=extractor.counters,
        complete=complete,
        damage=extractor.damage,
    )


def points_digest(points: Iterable[MetricPoint]) -> str:
    """Return a digest of a batch's points."""
    text = "\0".join(
        f"{name}\0{value}\0{timestamp}" if step is None else f"{name}\0{value}\0{timestamp}\0{step}"
        for name, value, timestamp, step in points
    )
    return digest_of(text.encode("utf-8", "surrogateescape"))


def extract_again(
    wanted: WantedMetrics, start: Position, pieces: Iterable[bytes]
) -> tuple[ExtractedPoint, ...]:
    """Find the points of a range that was extracted before, to its end."""
    extractor = wanted.extractor(start)
    points: list[ExtractedPoint] = []
    for piece in pieces:
        points += extractor.feed(piece)
    return (*points, *extractor.finish())


def with_timestamps(
    points: Iterable[ExtractedPoint], reading_time: int, last: int
) -> tuple[tuple[MetricPoint, ...], int]:
    """Give each point a time stamp; return also the last time stamp that was given here.

    A point keeps the time of its line. Without one it gets the reading time, or the last given time
    plus 1 us if that is later. All times are in microseconds since 1970, and are limited to the
    range that a time stamp's text can express.
    """
    stamped = []
    for point in points:
        stamp = point.timestamp
        if stamp is None:
            last = min(max(reading_time, last + 1), LAST_MICROS)
            stamp = from_micros(last)
        stamped.append(MetricPoint(point.name, point.value, stamp, point.step))
    return tuple(stamped), last


def carry_on(
    known: CarryOver, points: Iterable[ExtractedPoint], last_stamp: int, rules: StopRules | None
) -> CarryOver:
    """Return what carries over after these points, observed in their order."""
    points = tuple(points)
    stop = known.stop
    if rules is not None:
        for point in points:
            stop = rules.observe(stop, point.name, point.value)
    folds = fold(points, dict(known.folds))
    return replace(known, last_stamp=last_stamp, stop=stop, folds=folds)


def final_points(known: CarryOver, objective: str) -> tuple[MetricPoint, ...]:
    """Return the points of an attempt's last report.

    It has none, except where the objective never had a finite value: then it has the one value
    `unavailable`.
    """
    folded = known.folds.get(objective)
    if folded is not None and folded.minimum is not None:
        return ()
    return (MetricPoint(objective, UNAVAILABLE, UNAVAILABLE_TIME),)
