"""The finder for logs with a `metricsFormat`: it runs the user's patterns line by line."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from filters.points import ExtractedPoint
from filters.region import LineCursor, Region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from filters.pattern import Pattern
    from filters.points import ExtractionCounters
    from filters.steps import StepReader

_BYTEWISE = "trialwatch-bytewise"


class PatternFinder:
    """Runs each pattern over each line that contains a metric's name, as Katib does."""

    def __init__(
        self, names: Sequence[str], patterns: Sequence[Pattern], steps: StepReader | None = None
    ) -> None:
        """Take the metric names and at least one pattern; without `steps`, no step is read."""
        self._names = {name: name for name in names}
        self._literals = [name.encode() for name in names]
        self._patterns = patterns
        self._steps = steps

    def find(self, region: Region, counters: ExtractionCounters) -> list[ExtractedPoint]:
        """Return the region's points: by line, then by pattern, then left to right."""
        points: list[ExtractedPoint] = []
        steps, step = self._steps, None
        for line in _lines_naming(region, self._literals):
            content = valid_utf8(line.content)
            pairs = self._pairs(content, counters)
            if pairs:
                stamp, bounds = line.stamp, line.bounds
                if steps is not None:
                    step = steps.on_line(region.text, line.start, line.end)
                points += [
                    ExtractedPoint(name, value, stamp, line.number, *bounds, step)
                    for name, value in pairs
                ]
        if steps is not None:
            steps.leave(region.text)
        return points

    def _pairs(self, content: bytes, counters: ExtractionCounters) -> list[tuple[str, str]]:
        """Return the names and values in a line; none where a pattern was stopped.

        The pairs before the stop may be older than those behind it, so none of the line counts.
        """
        names = self._names
        pairs: list[tuple[str, str]] = []
        for pattern in self._patterns:
            try:
                for name, value in pattern.matches(content):
                    if name in names:
                        pairs.append((names[name], value))
            except TimeoutError:
                counters.timed_out += 1
                return []
        return pairs


def _lines_naming(region: Region, literals: Sequence[bytes]) -> Iterator[LineCursor]:
    """Yield the cursor on each line that contains one of the literals."""
    text = region.text
    cursor = LineCursor(region)
    ahead = {literal: text.find(literal) for literal in literals}
    ahead = {literal: place for literal, place in ahead.items() if place >= 0}
    while ahead:
        cursor.move_to(min(ahead.values()))
        yield cursor
        for literal in [literal for literal, place in ahead.items() if place <= cursor.end]:
            ahead[literal] = text.find(literal, cursor.end)
            if ahead[literal] < 0:
                del ahead[literal]


def valid_utf8(line: bytes) -> bytes:
    """Return the line with U+FFFD for each byte outside valid UTF-8, as Go reads it."""
    if line.isascii():
        return line
    return line.decode("utf-8", _BYTEWISE).encode()


def _one_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd", error.start + 1


codecs.register_error(_BYTEWISE, _one_byte)
