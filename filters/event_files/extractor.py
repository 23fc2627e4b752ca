"""From the bytes of event files to points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from google.protobuf.message import DecodeError

from api.eventfiles.event_pb2 import Event, Summary
from api.timestamps import FIRST_MICROS, LAST_MICROS, from_micros
from filters.event_files.numbers import float32_text, tensor_text
from filters.event_files.records import Record, RecordSplitter
from filters.event_files.tags import MetricTags
from filters.extractor import Position, extraction_spec
from filters.near_misses import NearMisses
from filters.points import Damage, ExtractedPoint, ExtractionCounters


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSpec:
    """What to look for in the event files of a directory. Made and checked by `event_spec`."""

    metrics: tuple[str, ...]
    directory: str = ""
    """Its path, as far as it is known."""

    @property
    def how(self) -> str:
        """How metrics are found, in a few words for a message."""
        return "the reader of event files"

    @property
    def notices(self) -> tuple[str, ...]:
        """Nothing: exact tags need no explanation."""
        return ()

    def extractor(
        self, position: Position, near_misses: NearMisses | None = None
    ) -> EventExtractor:
        """Return an extractor of an event file of the directory from a position on."""
        del near_misses  # they are lines of text
        return EventExtractor(MetricTags.of(self.metrics, self.directory), position)


def event_spec(metrics: Iterable[str], directory: str = "") -> EventSpec:
    """Check the user's request for the event files of a directory.

    Raises:
        UserError: there is no metric, there are too many, or a name is not a tag.
    """
    return EventSpec(metrics=extraction_spec(metrics).metrics, directory=directory)


class EventExtractor:
    """Takes an event file's bytes in chunks, returns the points of the records that they complete.

    In a point, `line` is the record's number in the file; `start` and `end` are its bounds.
    """

    def __init__(self, tags: MetricTags, position: Position | None = None) -> None:
        """Look for these tags, from the file's start or the position of an earlier extractor."""
        self._tags = tags
        self._records = RecordSplitter(position or Position())
        self._clock = _Timestamps()
        self.counters = ExtractionCounters()

    @property
    def position(self) -> Position:
        """Where to continue: behind the last complete record."""
        return self._records.position

    @property
    def damage(self) -> Damage | None:
        """What could not be read; None where all was read."""
        return self._records.damage

    def feed(self, chunk: bytes) -> list[ExtractedPoint]:
        """Take the file's next bytes; return the points of the records that they complete."""
        points: list[ExtractedPoint] = []
        for record in self._records.feed(chunk, self._tags.occur):
            points += self._points(record)
        self.counters.bytes += len(chunk)
        self._count()
        self.counters.count(points)
        return points

    def finish(self) -> list[ExtractedPoint]:
        """End the file; an unfinished record has no points, and is counted as damaged."""
        self._records.finish()
        self._count()
        return []

    def _count(self) -> None:
        self.counters.lines = self._records.records
        self.counters.damaged = self._records.damage.places if self._records.damage else 0

    def _points(self, record: Record) -> list[ExtractedPoint]:
        """Return a record's points: those by the tag's whole name, then those by the directory."""
        try:
            event = Event.FromString(record.data)
        except DecodeError:
            self._records.note_unreadable(record)
            return []
        by_name: list[ExtractedPoint] = []
        by_directory: list[ExtractedPoint] = []
        stamp = self._clock.text(event.wall_time)
        step = event.step if event.step >= 0 else None
        place = (record.number, record.start, record.end, step)
        for value in event.summary.value:
            tag = value.tag or value.node_name
            metrics = self._tags.by_tag.get(tag)
            if metrics is None:
                continue
            text = _text(value)
            if text is None:
                self.counters.wrong_type += 1
                continue
            for metric, is_whole in metrics:
                points = by_name if is_whole else by_directory
                points.append(ExtractedPoint(metric, text, stamp, *place))
        return by_name + by_directory if by_directory else by_name


def _text(value: Summary.Value) -> str | None:
    """Return a value's number; None if it is a picture, a histogram, or a text."""
    match value.WhichOneof("value"):
        case "simple_value":
            return float32_text(value.simple_value)
        case "tensor":
            return tensor_text(value.tensor)
        case _:
            return None


class _Timestamps:
    """Writes times as RFC 3339. Many events are of one second, which is written once."""

    def __init__(self) -> None:
        self._second = -1
        self._start = ""

    def text(self, wall_time: float) -> str | None:
        """Return seconds since 1970 as RFC 3339; None if no calendar has this time."""
        if not isfinite(wall_time):
            return None
        micros = round(wall_time * 1_000_000)
        if not FIRST_MICROS <= micros <= LAST_MICROS:
            return None
        second, fraction = divmod(micros, 1_000_000)
        if second != self._second:
            self._second, self._start = second, from_micros(second * 1_000_000)[:-1]
        return f"{self._start}.{fraction:06d}".rstrip("0") + "Z" if fraction else f"{self._start}Z"
