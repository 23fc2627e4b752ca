"""The points in the event files below a directory, as `trialwatch extract` prints them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.message import DecodeError

from api.errors import UserError
from api.eventfiles.event_pb2 import Event
from filters.event_files.extractor import event_spec
from filters.event_files.first_event import ENOUGH_BYTES, NoTime, first_time
from filters.event_files.records import RecordSplitter
from filters.extractor import Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from filters.points import Damage, ExtractedPoint

_CHUNK = 1 << 18
_MOST_TAGS = 20


class FilePoints(NamedTuple):
    """Some points of one event file."""

    path: Path
    points: list[ExtractedPoint]


class EventFolder:
    """The event files below a directory; counts what it reads."""

    def __init__(self, directory: Path, metrics: Sequence[str]) -> None:
        """Look for metrics.

        Raises:
            UserError: a metric cannot be a tag, or there is no event file.
        """
        self._spec = event_spec(metrics)
        self.metrics = self._spec.metrics
        self._files = sorted(_event_files(directory))
        if not self._files:
            raise UserError(
                f"no file below {str(directory)!r} has `tfevents` in its name; write the directory"
                " that the training gives to its writer of event files"
            )
        self._counts = dict.fromkeys(self.metrics, 0)
        self._records = 0
        self._notes: list[str] = []

    def points(self) -> Iterator[FilePoints]:
        """Yield the points, file by file.

        Raises:
            UserError: a file cannot be read.
        """
        for path in self._files:
            spec = event_spec(self.metrics, str(path.parent.absolute()))
            extractor = spec.extractor(Position())
            for number, chunk in enumerate(_chunks(path)):
                if not number and first_time(chunk[:ENOUGH_BYTES]) is NoTime.NO_EVENT_FILE:
                    self._notes.append(f"note: {path} is not an event file")
                    break
                yield FilePoints(path, extractor.feed(chunk))
            else:
                extractor.finish()
            self._records += extractor.counters.lines
            for name, count in extractor.counters.by_metric.items():
                self._counts[name] += count
            self._note(path, extractor.damage)

    def summary(self) -> str:
        """Return what was read, as several lines; call it after `points`."""
        count = sum(self._counts.values())
        rows = [f"{count:,} points in {self._records:,} records of {len(self._files):,} files"]
        for name, of_metric in self._counts.items():
            rows.append(f"  {name}: {f'{of_metric:,} points' if of_metric else 'nothing found'}")
        if not all(self._counts.values()):
            tags = sorted({tag for path in self._files for tag in _tags(path)})
            more = f" and {len(tags) - _MOST_TAGS} more" if len(tags) > _MOST_TAGS else ""
            rows.append(f"  tags in these files: {', '.join(tags[:_MOST_TAGS]) or 'none'}{more}")
        return "\n".join((*rows, *self._notes))

    def _note(self, path: Path, damage: Damage | None) -> None:
        if damage is not None:
            until = "" if damage.end is None else f" to {damage.end}"
            self._notes.append(f"note: {path}, byte {damage.start}{until}: {damage}")


def _event_files(directory: Path) -> Iterator[Path]:
    """Yield the event files; what cannot be listed is left out, as links to directories are."""
    for folder, _, names in os.walk(directory):
        paths = (Path(folder, name) for name in names if "tfevents" in name)
        yield from (path for path in paths if path.is_file())


def _tags(path: Path) -> Iterator[str]:
    """Yield the tags of a file, many times each."""
    splitter = RecordSplitter(Position())
    for chunk in _chunks(path):
        for record in splitter.feed(chunk, lambda _: True):
            try:
                event = Event.FromString(record.data)
            except DecodeError:
                continue
            yield from (
                (value.tag or value.node_name).decode("utf-8", "replace")
                for value in event.summary.value
            )


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise UserError(
            f"cannot read {str(path)!r}: {error.strerror}; let your user read it"
        ) from error
