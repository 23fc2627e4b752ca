"""From a batch in flight to the report to send: made of the same bytes, it is always the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collector.core.batches import (
    Batch,
    CarryOver,
    carry_on,
    extract_again,
    final_points,
    points_digest,
    with_timestamps,
)
from collector.core.checkpoint import Attempt, InFlight
from collector.core.plan import CollectorPlan
from collector.streams.stream import Stream
from filters.points import ExtractedPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedBatch:
    """A batch in flight, and what carries over to later batches once it is stored."""

    batch: Batch
    known: CarryOver


def prepare(
    plan: CollectorPlan, attempt: Attempt, flight: InFlight, points: tuple[ExtractedPoint, ...]
) -> PreparedBatch:
    """Make the batch of these points."""
    stamped, last = with_timestamps(points, flight.reading_time, attempt.known.last_stamp)
    return PreparedBatch(
        batch=Batch(source=attempt.source, sequence=flight.sequence, points=stamped),
        known=carry_on(attempt.known, points, last, plan.rules),
    )


def prepare_again(
    plan: CollectorPlan, attempt: Attempt, flight: InFlight, streams: Mapping[str, Stream]
) -> PreparedBatch | None:
    """Make the batch again of the bytes that the checkpoint names; None if they have changed."""
    if not flight.stream:
        return prepare_last(plan, attempt, flight)
    pieces = streams[flight.stream].again(flight.start, flight.end)
    points = extract_again(plan.extraction_of(flight.stream), flight.start.position, pieces)
    # An earlier version may have written the checkpoint: its points had no steps.
    without_steps = tuple(point._replace(step=None) for point in points)
    for candidate in (points, without_steps):
        prepared = prepare(plan, attempt, flight, candidate)
        if points_digest(prepared.batch.points) == flight.digest:
            return prepared
    return None


def prepare_last(plan: CollectorPlan, attempt: Attempt, flight: InFlight) -> PreparedBatch:
    """Make an attempt's last report, which has the outcome and is made of no bytes."""
    batch = Batch(
        source=attempt.source,
        sequence=flight.sequence,
        points=final_points(attempt.known, plan.objective),
        outcome=flight.outcome,
    )
    return PreparedBatch(batch=batch, known=attempt.known)
