"""What there is to read of an attempt, and where its reading begins."""

from __future__ import annotations

from collections.abc import Sequence

from api.errors import SetupError
from api.run_directory import AttemptRecord
from collector.borders import first_place
from collector.checkpoint import Attempt
from collector.following import FollowedFile
from collector.places import Place
from collector.plan import Plan
from collector.ports import Ports
from collector.segments import PREFIXES, Segments
from collector.streams import Stream


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
