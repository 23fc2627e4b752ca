"""What there is to read of an attempt, and where its reading begins."""

from __future__ import annotations

from collections.abc import Sequence

from api.errors import SetupError
from api.run_directory import AttemptRecord
from collector.core.checkpoint import Attempt
from collector.core.plan import Plan
from collector.core.ports import Ports
from collector.streams.attempt_boundary import first_place
from collector.streams.following import FollowedFile
from collector.streams.segments import PREFIXES, Segments
from collector.streams.stream import Stream
from collector.streams.stream_position import Place


def streams_of(plan: Plan, ports: Ports, number: int) -> tuple[Stream, ...]:
    """Return what is to be read of an attempt."""
    if plan.path:
        return (FollowedFile(plan.path, ports.files, _record(ports, number)),)
    directory = plan.attempt_directory(number)
    return tuple(Segments(name, directory, ports.files, plan.segment_bytes) for name in PREFIXES)


def first_places(plan: Plan, ports: Ports, number: int, before: Attempt | None) -> dict[str, Place]:
    """Return where the reading of an attempt begins, by stream."""
    if not plan.path:
        return {name: Place() for name in PREFIXES}
    previous = before.places.get(plan.path) if before else None
    return {plan.path: first_place(_record(ports, number), previous)}


def next_after(number: int, started: Sequence[int]) -> int | None:
    """Return the attempt that began next."""
    return min((each for each in started if each > number), default=None)


def _record(ports: Ports, number: int) -> AttemptRecord:
    record = ports.runs.record(number)
    if record is None:
        raise SetupError(
            f"the record of attempt {number} is gone from the run directory: "
            "nothing but the collector may remove files there"
        )
    return record
