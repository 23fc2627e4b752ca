"""From bytes to batches: the same bytes, place, and reading time always give the same batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from api.names import UNAVAILABLE, UNAVAILABLE_TIME
from api.timestamps import FIRST_MICROS, LAST_MICROS, from_micros
from api.types import MetricPoint
from collector.core.stopping import StopRules, StopState
from collector.streams.stream_position import digest_of
from filters.extractor import ExtractionSpec, Extractor, Position
from filters.fold import Folded, fold
from filters.near_misses import NearMisses
from filters.points import ExtractedPoint, ExtractionCounters

BATCH_POINTS = 1_000
"""A batch closes at the first piece of its bytes that reaches so many points."""
_LEAST_PIECE = 16 * 1024
"""Bytes that are searched at once. Smaller costs speed; larger makes batches of dense logs long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an attempt's earlier points say to the next ones."""

    last_stamp: int = FIRST_MICROS
    """The last time we gave, in microseconds since 1970."""
    stop: StopState = field(default_factory=StopState)
    folds: Mapping[str, Folded] = field(default_factory=dict)
    """By metric, for the summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One report to the store."""

    source: str
    sequence: int
    """From 1 in each source."""
    points: tuple[MetricPoint, ...]
    """Each has a time stamp."""
    outcome: str | None = None
    """On a source's last report, one of `api.names.OUTCOME_...`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What a run of bytes holds."""

    found: tuple[ExtractedPoint, ...]
    end: Position
    """Where to go on."""
    counters: ExtractionCounters
    complete: bool
    """All of the bytes were searched, and where they are final their unfinished line too."""


def extract(
    wanted: ExtractionSpec,
    start: Position,
    data: bytes,
    *,
    final: bool,
    near_misses: NearMisses | None = None,
) -> Extracted:
    """Find the points in the bytes at a position, up to where a batch closes.

    `final`: no byte will follow, so that the unfinished last line counts as well. `near_misses`
    is shown what is searched, and has no say in what is found.
    """
    extractor = Extractor(wanted, start, near_misses=near_misses)
    found: list[ExtractedPoint] = []
    piece = max(_LEAST_PIECE, len(data) // 8)
    complete = True
    for offset in range(0, len(data), piece):
        found += extractor.feed(data[offset : offset + piece])
        if len(found) >= BATCH_POINTS:
            complete = False
            break
    if complete and final:
        found += extractor.finish()
    return Extracted(
        found=tuple(found), end=extractor.position, counters=extractor.counters, complete=complete
    )


def digest_of_points(points: Iterable[MetricPoint]) -> str:
    """Return what tells a batch's points from any others."""
    text = "\0".join(f"{point.name}\0{point.value}\0{point.timestamp}" for point in points)
    return digest_of(text.encode("utf-8", "surrogateescape"))


def extract_again(
    wanted: ExtractionSpec, start: Position, pieces: Iterable[bytes]
) -> tuple[ExtractedPoint, ...]:
    """Find the points of a range that was once extracted, all of it."""
    extractor = Extractor(wanted, start)
    found: list[ExtractedPoint] = []
    for piece in pieces:
        found += extractor.feed(piece)
    return (*found, *extractor.finish())


def stamped(
    found: Iterable[ExtractedPoint], reading_time: int, last: int
) -> tuple[tuple[MetricPoint, ...], int]:
    """Give each point a time; return also the last time given by us.

    A point has its line's own time; else the larger of the reading time and the last time given
    plus 1 us, all in microseconds since 1970. A time that no text can say is brought to the
    nearest that can.
    """
    points = []
    for point in found:
        stamp = point.timestamp
        if stamp is None:
            last = min(max(reading_time, last + 1), LAST_MICROS)
            stamp = from_micros(last)
        points.append(MetricPoint(point.name, point.value, stamp))
    return tuple(points), last


def learn(
    known: Known, found: Iterable[ExtractedPoint], last_stamp: int, rules: StopRules | None
) -> Known:
    """Return what is known once these points have been observed, in their order."""
    found = tuple(found)
    stop = known.stop
    if rules is not None:
        for point in found:
            stop = rules.observe(stop, point.name, point.value)
    folds = fold(found, dict(known.folds))
    return replace(known, last_stamp=last_stamp, stop=stop, folds=folds)


def last_points(known: Known, objective: str) -> tuple[MetricPoint, ...]:
    """Return what an attempt's last report holds.

    Nothing, or, where the objective never had a finite value, the one point that says so.
    """
    folded = known.folds.get(objective)
    if folded is not None and folded.minimum is not None:
        return ()
    return (MetricPoint(objective, UNAVAILABLE, UNAVAILABLE_TIME),)
