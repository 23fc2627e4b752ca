"""One attempt's streams, from its places to the next batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from api.run_directory import AttemptRecord
from collector.batches import Extracted, extract
from collector.places import Gap, Place
from collector.streams import Chunk, Stream
from filters.extractor import Reading

_LEAST, _MOST = 1 << 16, 1 << 21
"""Bytes that are read at once. The most holds a line of the longest kind and what follows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one look at a stream gave."""

    stream: str
    start: Place
    end: Place
    extracted: Extracted | None = None
    """None where there was nothing to search."""
    gap: Gap | None = None
    more: bool = False
    """There may be more at once."""


class AttemptReader:
    """Reads the streams in turn, so that a chatty one does not silence the other."""

    def __init__(self, wanted: Reading, streams: tuple[Stream, ...]) -> None:
        """Search these streams."""
        self.streams: Mapping[str, Stream] = {stream.name: stream for stream in streams}
        self._wanted = wanted
        self._turns = list(self.streams)
        self._count = dict.fromkeys(self.streams, _LEAST)

    def step(
        self, places: Mapping[str, Place], *, over: bool, later: AttemptRecord | None
    ) -> Step | None:
        """Look at the next stream that has anything to tell; None where none has, or all ended."""
        for name in list(self._turns):
            place = places[name]
            if place.finished:
                continue
            self._turns.append(self._turns.pop(self._turns.index(name)))
            found = self._look(self.streams[name], place, over=over, later=later)
            if found.more or found.end != place or found.gap:
                return found
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
        got = extract(self._wanted, chunk.place.position, chunk.data, final=chunk.final)
        end = _end(chunk, got)
        consumed = end.offset - chunk.place.offset
        full = len(chunk.data) == count
        self._count[stream.name] = (
            max(_LEAST, 2 * consumed) if not got.complete else min(_MOST, count * 2) if full
            else count
        )  # fmt: skip
        return Step(
            stream=stream.name,
            start=chunk.place,
            end=end,
            extracted=got,
            gap=chunk.gap,
            more=full or not got.complete or end.sealed,
        )

    def close(self) -> None:
        """Close the streams."""
        for stream in self.streams.values():
            stream.close()


def _end(chunk: Chunk, got: Extracted) -> Place:
    """Return where the stream goes on once these points have been taken."""
    if chunk.place.finished:
        return chunk.place
    read = got.end.lines.offset - chunk.place.offset
    end = chunk.place.moved(got.end, chunk.before + chunk.data[:read])
    if chunk.final and got.complete:
        return replace(end, finished=chunk.last, sealed=not chunk.last)
    return end
