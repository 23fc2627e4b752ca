"""Reads an attempt's streams, from their positions to the points of the next batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from api.run_directory import AttemptRecord
from collector.core import batches
from collector.core.batches import Extraction, extract
from collector.streams.stream import Chunk, Stream
from collector.streams.stream_position import Gap, StreamPosition
from filters.extractor import ExtractionSpec
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


class AttemptReader:
    """Reads the streams in turn, so that a busy stream does not hold up the other one."""

    def __init__(
        self,
        spec: ExtractionSpec,
        streams: tuple[Stream, ...],
        near_misses: NearMisses | None = None,
    ) -> None:
        """Search these streams; `near_misses` sees all regions that are searched."""
        self.streams: Mapping[str, Stream] = {stream.name: stream for stream in streams}
        self._spec, self._near_misses = spec, near_misses
        self._turns = list(self.streams)
        self._count = dict.fromkeys(self.streams, _LEAST)

    def step(
        self, places: Mapping[str, StreamPosition], *, over: bool, later: AttemptRecord | None
    ) -> ReadStep | None:
        """Look at the next stream with news; return None if there are none, or all have ended.

        A stream that is far behind is read until a batch is full.
        """
        for name in list(self._turns):
            position = places[name]
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
            self._spec,
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
            gap=chunk.gap,
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


def _end(chunk: Chunk, extraction: Extraction) -> StreamPosition:
    """Return where the stream continues after this extraction."""
    if chunk.start.finished:
        return chunk.start
    end = chunk.start.advanced(extraction.end, chunk.before, chunk.data)
    if chunk.final and extraction.complete:
        return replace(end, finished=chunk.last, sealed=not chunk.last)
    return end
