"""One attempt's streams, from its places to the next batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from api.run_directory import AttemptRecord
from collector.core import batches
from collector.core.batches import Extracted, extract
from collector.streams.stream import Chunk, Stream
from collector.streams.stream_position import Gap, Place
from filters.extractor import ExtractionSpec
from filters.lines import LONGEST_LINE
from filters.near_misses import NearMisses
from filters.points import ExtractedPoint

_LEAST = 1 << 16
_USUAL = 1 << 18
_MOST = LONGEST_LINE + _LEAST
"""Bytes that are read at once. The most holds a line of the longest kind and what follows it."""


_FARTHEST = 16 << 20
"""Bytes that one batch may be made of; as many are read again after a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one look at a stream gave."""

    stream: str
    start: Place
    end: Place
    found: tuple[ExtractedPoint, ...] = ()
    gap: Gap | None = None
    more: bool = False
    """There may be more at once."""


class AttemptReader:
    """Reads the streams in turn, so that a chatty one does not silence the other."""

    def __init__(
        self,
        wanted: ExtractionSpec,
        streams: tuple[Stream, ...],
        near_misses: NearMisses | None = None,
    ) -> None:
        """Search these streams; show `near_misses` what is searched."""
        self.streams: Mapping[str, Stream] = {stream.name: stream for stream in streams}
        self._wanted, self._near_misses = wanted, near_misses
        self._turns = list(self.streams)
        self._count = dict.fromkeys(self.streams, _LEAST)

    def step(
        self, places: Mapping[str, Place], *, over: bool, later: AttemptRecord | None
    ) -> Step | None:
        """Look at the next stream that has anything to tell; None where none has, or all ended.

        A stream that is far behind is read on until a batch is full.
        """
        for name in list(self._turns):
            place = places[name]
            if place.finished:
                continue
            self._turns.append(self._turns.pop(self._turns.index(name)))
            stream = self.streams[name]
            step = self._look(stream, place, over=over, later=later)
            if step.end == place and not (step.more or step.gap):
                continue
            while step.more and not _is_full(step):
                further = self._look(stream, step.end, over=over, later=later)
                if further.gap or further.start != step.end:
                    break  # of another generation: it is looked at again, as a step of its own
                step = replace(
                    further, start=step.start, found=step.found + further.found, gap=step.gap
                )
            return step
        return None

    def _look(
        self, stream: Stream, place: Place, *, over: bool, later: AttemptRecord | None
    ) -> Step:
        count = self._count[stream.name]
        chunk = stream.read(place, count, over=over, later=later)
        if not chunk.data and not chunk.final:
            more = chunk.place != place
            return Step(
                stream=stream.name, start=chunk.place, end=chunk.place, gap=chunk.gap, more=more
            )
        got = extract(
            self._wanted,
            chunk.place.position,
            chunk.data,
            final=chunk.final,
            near_misses=self._near_misses,
        )
        end = _end(chunk, got)
        full = len(chunk.data) == count
        if not got.complete:
            self._count[stream.name] = max(_LEAST, 2 * (end.offset - chunk.place.offset))
        elif full:
            stuck = end.offset == chunk.place.offset  # in a line that is longer than that
            self._count[stream.name] = min(_MOST if stuck else _USUAL, count * 2)
        return Step(
            stream=stream.name,
            start=chunk.place,
            end=end,
            found=got.found,
            gap=chunk.gap,
            more=full or not got.complete or end.sealed,
        )

    def close(self) -> None:
        """Close the streams."""
        for stream in self.streams.values():
            stream.close()


def _is_full(step: Step) -> bool:
    read = step.end.offset - step.start.offset
    return (
        len(step.found) >= batches.BATCH_POINTS
        or read >= _FARTHEST
        or step.end.generation.serial != step.start.generation.serial
        or step.end.sealed
    )


def _end(chunk: Chunk, got: Extracted) -> Place:
    """Return where the stream goes on once these points have been taken."""
    if chunk.place.finished:
        return chunk.place
    end = chunk.place.moved(got.end, chunk.before, chunk.data)
    if chunk.final and got.complete:
        return replace(end, finished=chunk.last, sealed=not chunk.last)
    return end
