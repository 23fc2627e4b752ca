"""The points at the end of the journal, for a receiver that starts again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from api.names import JOURNAL_DIR, JOURNAL_SEGMENT
from filters.journal_finder import JournalPoint, points_of_line

_BYTES = 1 << 20
"""Bytes at the end of a segment; a call's line is shorter."""


def last_points(state_dir: str) -> Iterator[JournalPoint]:
    """Yield the points that were accepted last, the oldest first.

    Those that are stored may be left out: their segments are removed.
    """
    attempts = Path(state_dir, JOURNAL_DIR).glob("[0-9]*")
    for attempt in sorted(attempts, key=lambda path: int(path.name))[-1:]:
        for segment in sorted(attempt.glob(f"{JOURNAL_SEGMENT}*"))[-2:]:
            yield from _points(segment)


def _points(segment: Path) -> Iterator[JournalPoint]:
    with segment.open("rb") as file:
        file.seek(max(0, segment.stat().st_size - _BYTES))
        for line in file:
            yield from points_of_line(line) or ()
