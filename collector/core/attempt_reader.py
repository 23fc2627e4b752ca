"""Reads an attempt's streams, from their positions to the points of the next batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from api.run_directory import AttemptRecord
from collector.core import batches
from collector.core.batches import Extraction, extract
from collector.streams.stream import Chunk, Stream
from collector.streams.stream_position import Gap, StreamPosition
from filters.extractor import WantedMetrics
from filters.lines import LONGEST_LINE
from filters.near_misses import NearMisses
from filters.points import ExtractedPoint

_LEAST = 1 << 16
_USUAL = 1 << 18
_MOST = LONGEST_LINE + _LEAST
"""Bytes of one read. `_MOST` has room for the longest line and some bytes more."""
_FARTHEST = 16 << 20
"""Bytes from which one batch may be made; after a crash they are read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStep:
    """The result of one look at a stream."""

    stream: str
    start: StreamPosition
    end: StreamPosition
    points: tuple[ExtractedPoint, ...] = ()
    gap: Gap | None = None
    more: bool = False
    """There may be more to read at once."""


class NewStreams(Protocol):
    """Finds the streams that begin during an attempt."""

    def __call__(
        self,
        followed: Mapping[str, Stream],
        places: Mapping[str, StreamPosition],
        *,
        over: bool,
        later: AttemptRecord | None,
    ) -> Iterable[Stream | Gap]:
        """Return the streams that are not followed yet; `places`: how far the others are read.

        A gap stands for streams that cannot be followed. `over` and `later` mean what they mean for
        `Stream.read`.
        """


class AttemptReader:
    """Reads the streams in turn, so that a busy stream does not hold up the other one."""

    def __init__(
        self,
        spec_of: Callable[[str], WantedMetrics],
        streams: tuple[Stream, ...],
        near_misses: NearMisses | None = None,
        new_streams: NewStreams | None = None,
    ) -> None:
        """Search these streams, each for what `spec_of` returns for its name.

        `near_misses` sees all regions of the trainer's text that are searched. `new_streams` finds
        more streams.
        """
        self.streams: dict[str, Stream] = {}
        self._spec_of, self._near_misses, self._new_streams = spec_of, near_misses, new_streams
        self._specs: dict[str, WantedMetrics] = {}
        self._turns: list[str] = []
        self._count: dict[str, int] = {}
        for stream in streams:
            self._add(stream)

    def look_for_streams(
        self, places: Mapping[str, StreamPosition], *, over: bool, later: AttemptRecord | None
    ) -> list[Gap]:
        """Add the streams that have begun since the last look; return gaps for left out ones."""
        gaps: list[Gap] = []
        if self._new_streams is not None:
            for new in self._new_streams(self.streams, places, over=over, later=later):
                if isinstance(new, Gap):
                    gaps.append(new)
                else:
                    self._add(new)
        return gaps

    def _add(self, stream: Stream) -> None:
        self.streams[stream.name] = stream
        self._specs[stream.name] = self._spec_of(stream.name)
        self._turns.append(stream.name)
        self._count[stream.name] = _LEAST

    def step(
        self, places: Mapping[str, StreamPosition], *, over: bool, later: AttemptRecord | None
    ) -> ReadStep | None:
        """Look at the next stream with news; return None if there are none, or all have ended.

        A stream that is far behind is read until a batch is full.
        """
        for name in list(self._turns):
            position = places.get(name) or StreamPosition()
            if position.finished:
                continue
            self._turns.append(self._turns.pop(self._turns.index(name)))
            stream = self.streams[name]
            step = self._look(stream, position, over=over, later=later)
            if step.end == position and not (step.more or step.gap):
                continue
            while step.more and not _is_full(step):
                further = self._look(stream, step.end, over=over, later=later)
                if further.gap or further.start != step.end:
                    break  # another generation: it is read again, as a step of its own
                step = replace(
                    further, start=step.start, points=step.points + further.points, gap=step.gap
                )
            return step
        return None

    def _look(
        self, stream: Stream, position: StreamPosition, *, over: bool, later: AttemptRecord | None
    ) -> ReadStep:
        count = self._count[stream.name]
        chunk = stream.read(position, count, over=over, later=later)
        if not chunk.data and not chunk.final:
            more = chunk.start != position
            return ReadStep(
                stream=stream.name, start=chunk.start, end=chunk.start, gap=chunk.gap, more=more
            )
        extraction = extract(
            self._specs[stream.name],
            chunk.start.position,
            chunk.data,
            final=chunk.final,
            near_misses=self._near_misses,
        )
        end = _end(chunk, extraction)
        full = len(chunk.data) == count
        if not extraction.complete:
            self._count[stream.name] = max(_LEAST, 2 * (end.offset - chunk.start.offset))
        elif full:
            stuck = end.offset == chunk.start.offset  # the line is longer than the read
            self._count[stream.name] = min(_MOST if stuck else _USUAL, count * 2)
        return ReadStep(
            stream=stream.name,
            start=chunk.start,
            end=end,
            points=extraction.points,
            gap=chunk.gap or _gap(stream.name, chunk, extraction),
            more=full or not extraction.complete or end.sealed,
        )

    def close(self) -> None:
        """Close the streams."""
        for stream in self.streams.values():
            stream.close()


def _is_full(step: ReadStep) -> bool:
    read = step.end.offset - step.start.offset
    return (
        len(step.points) >= batches.BATCH_POINTS
        or read >= _FARTHEST
        or step.end.generation.serial != step.start.generation.serial
        or step.end.sealed
    )


def _gap(stream: str, chunk: Chunk, extraction: Extraction) -> Gap | None:
    """Return the gap for what could not be read in a chunk."""
    damage = extraction.damage
    if damage is None:
        return None
    serial = chunk.start.generation.serial
    return Gap(
        stream=stream, generation=serial, start=damage.start, end=damage.end, why=str(damage)
    )


def _end(chunk: Chunk, extraction: Extraction) -> StreamPosition:
    """Return where the stream continues after this extraction."""
    if chunk.start.finished:
        return chunk.start
    end = chunk.start.advanced(extraction.end, chunk.before, chunk.data)
    if chunk.final and extraction.complete:
        return replace(end, finished=chunk.last, sealed=not chunk.last)
    return end
