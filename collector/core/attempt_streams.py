"""The streams of an attempt, and where each begins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from api.errors import SetupError
from api.run_directory import AttemptRecord
from collector.core.attempt_reader import NewStreams
from collector.core.checkpoint import Attempt
from collector.core.plan import CollectorPlan
from collector.core.ports import Ports
from collector.streams.attempt_boundary import start_position
from collector.streams.followed_file import FollowedFile
from collector.streams.held_files import HeldFiles
from collector.streams.segments import JOURNAL, OUTPUTS, Segments
from collector.streams.stream import Stream
from collector.streams.stream_position import StreamPosition


def streams_of(
    plan: CollectorPlan, ports: Ports, attempt: Attempt, held: HeldFiles
) -> tuple[Stream, ...]:
    """Return the streams of an attempt; `held` keeps files open from one attempt to the next.

    Of event files, these are the ones that are in the checkpoint.
    """
    number = attempt.number
    streams: list[Stream] = []
    if plan.journal:
        streams.append(_journal(plan, ports, number))
    if plan.events:
        from collector.streams.event_file import EventFile  # noqa: PLC0415 - see `new_streams_of`

        paths = (path for path in attempt.places if path != JOURNAL)
        return (*streams, *(EventFile(path, ports.files) for path in paths))
    if plan.path:
        streams.append(FollowedFile(plan.path, ports.files, held, _record(ports, number)))
    else:
        directory = plan.attempt_directory(number)
        streams += (Segments(name, directory, ports.files, plan.segment_bytes) for name in OUTPUTS)
    return tuple(streams)


def new_streams_of(plan: CollectorPlan, ports: Ports, number: int) -> NewStreams | None:
    """Return what finds the streams that begin during an attempt; None where none do."""
    if not plan.events:
        return None
    # Only collectors of event files load what reads them.
    from collector.streams.event_directory import EventDirectory  # noqa: PLC0415

    record = _record(ports, number)
    return EventDirectory(plan.events, ports.files, record, ports.log.write).new_files


def start_positions(
    plan: CollectorPlan, ports: Ports, number: int, before: Attempt | None
) -> dict[str, StreamPosition]:
    """Return the position at which each stream of an attempt begins; `before`: the last attempt."""
    journal = {JOURNAL: StreamPosition()} if plan.journal else {}
    if plan.events:
        return journal
    if not plan.path:
        return {name: StreamPosition() for name in OUTPUTS} | journal
    previous = before.places.get(plan.path) if before else None
    return {plan.path: start_position(_record(ports, number), previous)} | journal


def next_attempt(number: int, started: Sequence[int]) -> int | None:
    """Return the number of the attempt that began next; None if there is none."""
    return min((other for other in started if other > number), default=None)


def _journal(plan: CollectorPlan, ports: Ports, number: int) -> Segments:
    directory, size = plan.journal_directory(number), plan.segment_bytes
    if ports.journal is None:
        return Segments(JOURNAL, directory, ports.files, size)
    # What is behind this offset may still be refused.
    end = partial(ports.journal.accepted, number)
    return Segments(JOURNAL, directory, ports.files, size, end)


def _record(ports: Ports, number: int) -> AttemptRecord:
    record = ports.trainer.record(number)
    if record is None:
        raise SetupError(
            f"the record of attempt {number} is missing in the run directory: "
            "only the collector may remove files there"
        )
    return record
