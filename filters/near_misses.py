"""For a metric that is never found: the most similar lines, and why they did not match."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TYPE_CHECKING

from filters.loggers import logger_of
from filters.numbers import NUMBER
from filters.region import LineCursor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filters.points import ExtractedPoint
    from filters.region import Region

LOOKED_AT = 1 << 20
"""Bytes at the stream's start that are compared; metrics' names usually appear early."""

_KEEP = 3
_LONGEST_SHOWN = 160
_LIKE_ENOUGH = 0.6
_KEYED = re.compile(
    rb"([A-Za-z_][\w|/.@%'-]{0,63}+(?>(?: [A-Za-z][\w/.@-]{0,31}+){0,2}))"
    rb"[\"')\]]{0,2}[ \t]{0,40}[=:][ \t]{0,40}[\"']?" + NUMBER
)


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
        keys = [match[1].decode("utf-8", "replace") for match in _KEYED.finditer(content)]
        text = content.decode("utf-8", "replace")
        for name, best in self._best.items():
            for distance, why in _reasons(name, text, keys, self._how):
                worst = max(best.values()) if len(best) >= _KEEP else None
                if why in best or (worst is not None and worst.distance <= distance):
                    continue
                if worst is not None:
                    del best[worst.why]
                best[why] = _Candidate(distance, number, _clipped(text), why)


def _reasons(name: str, text: str, keys: Sequence[str], how: str) -> Iterator[tuple[float, str]]:
    """Yield why a line does not match, each with a distance: 0 is almost a match, 1 far from it."""
    logger = logger_of(text.encode(errors="replace"), 0)
    if logger and name in text:
        yield 0.05, f"this line is of {logger}: ask for {logger}_{name}"
        return
    if name in keys:
        yield 0.05, f"{how} does not match here"
        return
    if name in text:
        part_of = next((key for key in keys if name in key), None)
        if part_of:
            yield 0.2, f"{name!r} is only a part of {part_of!r} here: ask for that name"
        elif _alone(name).search(text):
            yield 0.1, f"no number follows {name!r} here"
        else:
            yield 0.5, f"{name!r} is only a part of a word here"
        return
    for key in keys:
        if _letters(key) == _letters(name):
            yield 0.15, f"it is written {key!r} here: ask for that name"
            continue
        likeness = _likeness(key, name)
        if likeness >= _LIKE_ENOUGH:
            yield 1.2 - likeness, f"this line has {key!r}: is that the metric?"
        else:
            yield 1.0, f"this log prints {key!r}"


@lru_cache(maxsize=256)
def _alone(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


@lru_cache(maxsize=4096)  # logs repeat their keys, and this is the costly step
def _likeness(key: str, name: str) -> float:
    return SequenceMatcher(None, _letters(key), _letters(name)).ratio()


@lru_cache(maxsize=4096)
def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _clipped(text: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text.strip())
    return shown if len(shown) <= _LONGEST_SHOWN else shown[: _LONGEST_SHOWN - 1] + "…"
