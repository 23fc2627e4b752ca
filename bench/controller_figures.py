"""From what was counted at some moments of a run to what one trial costs, early and late."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

WINDOW = 100
"""Trials over which the cost of one is averaged."""


@dataclass(frozen=True, slots=True)
class Shape:
    """So many experiments, and so many trials of each."""

    experiments: int
    trials: int

    @property
    def total(self) -> int:
        """All trials."""
        return self.experiments * self.trials

    def __str__(self) -> str:
        return f"{self.experiments}x{self.trials}"


def shape_of(text: str) -> Shape:
    """Read `50x20`.

    Raises:
        ValueError: it is written otherwise.
    """
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        raise ValueError(f"{text!r}: write EXPERIMENTSxTRIALS, such as 50x20")
    return Shape(int(found[1]), int(found[2]))


def windows_of(total: int) -> list[tuple[int, int]]:
    """Return where to look, in trials that have ended: at 100, at 1,000, and before the end."""
    half = WINDOW // 2
    middles = [middle for middle in (100, 1_000) if middle + WINDOW <= total - WINDOW]
    middles.append(max(total - WINDOW, half))
    return [(middle - half, min(middle + half, total)) for middle in middles]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was counted up to some moment."""

    done: int
    seconds: float
    cpu: float
    turns: Mapping[str, tuple[float, float]]
    """By kind: how many, and their seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What happened between two samples."""

    first: Sample
    last: Sample

    @property
    def trials(self) -> int:
        """How many trials ended."""
        return self.last.done - self.first.done

    @property
    def per_second(self) -> float:
        """How many of them in a second."""
        return self.trials / (self.last.seconds - self.first.seconds)

    @property
    def cpu(self) -> float:
        """Seconds of CPU for each of them."""
        return (self.last.cpu - self.first.cpu) / self.trials

    def turns(self, kind: str) -> float:
        """How many turns of a kind for each of them."""
        return self._turned(kind)[0] / self.trials

    def seconds_of_a_turn(self, kind: str) -> float:
        """How long one took; the waiting for answers is part of it."""
        count, seconds = self._turned(kind)
        return seconds / count if count else 0.0

    def _turned(self, kind: str) -> tuple[float, float]:
        (count, seconds), (before, seconds_before) = self.last.turns[kind], self.first.turns[kind]
        return count - before, seconds - seconds_before


def stretches(samples: Sequence[Sample], windows: Iterable[tuple[int, int]]) -> Iterator[Stretch]:
    """Give for each window what happened in it, by the samples that are nearest to its ends."""
    for begin, end in windows:
        first, last = (_nearest(samples, done) for done in (begin, end))
        if first.done < last.done:
            yield Stretch(first=first, last=last)


def _nearest(samples: Sequence[Sample], done: int) -> Sample:
    return min(samples, key=lambda sample: abs(sample.done - done))


def turns_in(metrics: str, kinds: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Read the turns from what the controller serves for Prometheus."""
    name = "trialwatch_controller_turn_seconds"

    def value(what: str, kind: str) -> float:
        return sum(by_label(metrics, f"{name}_{what}", "kind", kind))

    return {kind: (value("count", kind), value("sum", kind)) for kind in kinds}


def by_label(metrics: str, name: str, label: str, value: str) -> Iterator[float]:
    """Give the values of a metric whose label has a value."""
    for found in re.finditer(rf"^{name}\{{([^}}]*)\}} (\S+)$", metrics, re.MULTILINE):
        if f'{label}="{value}"' in found[1].split(","):
            yield float(found[2])


def requests_of(asked: Mapping[tuple[str, str, str], int], user: str) -> list[tuple[str, str, int]]:
    """Return a user's requests as (verb, resource, count), the most frequent first."""
    own = Counter({(verb, what): n for (who, verb, what), n in asked.items() if who == user})
    return [(verb, what, count) for (verb, what), count in own.most_common()]
