"""Compute the cost of one trial, early and late, from samples of a run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

WINDOW = 100
"""The number of trials for an average."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The number of experiments, and of trials of each."""

    experiments: int
    trials: int

    @property
    def total(self) -> int:
        """The number of all trials."""
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
    """Return the measured windows, in ended trials: at 100, at 1,000, and before the end."""
    half = WINDOW // 2
    middles = [middle for middle in (100, 1_000) if middle + WINDOW <= total - WINDOW]
    middles.append(max(total - WINDOW, half))
    return [(middle - half, min(middle + half, total)) for middle in middles]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The counters at one moment."""

    done: int
    seconds: float
    cpu: float
    turns: Mapping[str, tuple[float, float]]
    """By kind: the number, and the seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The difference of two samples."""

    first: Sample
    last: Sample

    @property
    def trials(self) -> int:
        """The number of ended trials."""
        return self.last.done - self.first.done

    @property
    def per_second(self) -> float:
        """Ended trials per second."""
        return self.trials / (self.last.seconds - self.first.seconds)

    @property
    def cpu(self) -> float:
        """CPU seconds per trial."""
        return (self.last.cpu - self.first.cpu) / self.trials

    def turns(self, kind: str) -> float:
        """Reconciles of a kind per trial."""
        return self._turned(kind)[0] / self.trials

    def seconds_of_a_turn(self, kind: str) -> float:
        """Seconds per reconcile, including the time waiting for answers."""
        count, seconds = self._turned(kind)
        return seconds / count if count else 0.0

    def _turned(self, kind: str) -> tuple[float, float]:
        (count, seconds), (before, seconds_before) = self.last.turns[kind], self.first.turns[kind]
        return count - before, seconds - seconds_before


def stretches(samples: Sequence[Sample], windows: Iterable[tuple[int, int]]) -> Iterator[Stretch]:
    """Return the difference of the nearest samples for each window."""
    for begin, end in windows:
        first, last = (_nearest(samples, done) for done in (begin, end))
        if first.done < last.done:
            yield Stretch(first=first, last=last)


def _nearest(samples: Sequence[Sample], done: int) -> Sample:
    return min(samples, key=lambda sample: abs(sample.done - done))


def turns_in(metrics: str, kinds: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Read the reconciles from the controller's metrics."""
    name = "trialwatch_controller_turn_seconds"

    def value(what: str, kind: str) -> float:
        return sum(by_label(metrics, f"{name}_{what}", "kind", kind))

    return {kind: (value("count", kind), value("sum", kind)) for kind in kinds}


def by_label(metrics: str, name: str, label: str, value: str) -> Iterator[float]:
    """Yield the values of a metric with a label value."""
    for found in re.finditer(rf"^{name}\{{([^}}]*)\}} (\S+)$", metrics, re.MULTILINE):
        if f'{label}="{value}"' in found[1].split(","):
            yield float(found[2])


def requests_of(asked: Mapping[tuple[str, str, str], int], user: str) -> list[tuple[str, str, int]]:
    """Return a user's requests as (verb, resource, count), the most frequent first."""
    own = Counter({(verb, what): n for (who, verb, what), n in asked.items() if who == user})
    return [(verb, what, count) for (verb, what), count in own.most_common()]
