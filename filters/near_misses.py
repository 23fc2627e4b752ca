"""For a metric that is never found: the most similar lines, and why they did not match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filters.region import LineCursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from filters.points import ExtractedPoint
    from filters.region import Region

LOOKED_AT = 1 << 20
"""Bytes at the stream's start that are compared; metrics' names usually appear early."""

_KEEP = 3
_LONGEST_SHOWN = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A line that is similar to a metric's line, but did not match."""

    metric: str
    line: int
    text: str
    """The line, clipped."""
    why: str
    """Why it did not match, and which name to use instead."""


@dataclass(frozen=True, slots=True, order=True)
class _Candidate:
    distance: float
    line: int
    text: str
    why: str


def describe_near_misses(misses: Iterable[NearMiss]) -> tuple[str, ...]:
    """Return one text for each line, with all reasons why it did not match."""
    whys: dict[str, list[str]] = {}
    for miss in misses:
        whys.setdefault(miss.text, []).append(miss.why)
    return tuple(f"{text} ({'; '.join(why)})" for text, why in whys.items())


class NearMisses:
    """Compares the lines of a stream, and keeps the most similar ones for each metric."""

    def __init__(
        self,
        names: Iterable[str],
        how: str = "the default matcher",
        most_bytes: int = LOOKED_AT,
    ) -> None:
        """Take the metric names, a name for the matcher in use, and how many bytes to compare."""
        self._best: dict[str, dict[str, _Candidate]] = {name: {} for name in names}
        self._how = how
        self._budget = most_bytes

    def look(self, region: Region, points: Sequence[ExtractedPoint]) -> None:
        """Compare the lines of a region after its search; no work once every metric was found."""
        for name in {point.name for point in points}:
            self._best.pop(name, None)
        if not self._best or self._budget <= 0:
            return
        self._budget -= len(region.text)
        line = LineCursor(region)
        while True:
            content = line.content
            if content and not content.isspace():
                self._compare(content, line.number)
            if not line.next_line():
                return

    def of(self, metric: str) -> tuple[NearMiss, ...]:
        """Return the most similar lines for a metric without a point, the most similar first."""
        best = sorted(self._best.get(metric, {}).values())[:_KEEP]
        return tuple(
            NearMiss(metric=metric, line=near.line, text=near.text, why=near.why) for near in best
        )

    def _compare(self, content: bytes, number: int) -> None:
        # Its expressions and difflib take 6 ms; a collector starts before there are lines.
        from filters.likeness import keys_in, reasons  # noqa: PLC0415

        keys = keys_in(content)
        text = content.decode("utf-8", "replace")
        for name, best in self._best.items():
            for distance, why in reasons(name, text, keys, self._how):
                worst = max(best.values()) if len(best) >= _KEEP else None
                if why in best or (worst is not None and worst.distance <= distance):
                    continue
                if worst is not None:
                    del best[worst.why]
                best[why] = _Candidate(distance, number, _clipped(text), why)


def _clipped(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text.strip())
    return shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 1] + "…"
