"""All that a search knows: every trial asked for so far, in the order of asking.

The history is the only state. A suggestion depends on the trials in it, on how many they are, and
on the experiment's seed; never on what this process did before, so that any replica can answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from suggestion.space import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One trial that was asked for. Without assignments it is one that nothing is known of."""

    assignments: Point = ()
    loss: float | None = None
    """The objective, turned so that less is better; None: not (yet) known, or not finite."""
    running: bool = False
    """Whether its loss may still come."""
    seconds: float | None = None
    """How long it took, where that is known."""


History = tuple[Past, ...]


def one_by_one(
    choose: Callable[[History], Point], history: History, count: int
) -> tuple[Point, ...]:
    """Ask `count` times for one, each with those before as running trials."""
    points: list[Point] = []
    for _ in range(count):
        point = choose(history)
        points.append(point)
        history = (*history, Past(assignments=point, running=True))
    return tuple(points)


def seed_at(seed: int, index: int, purpose: str = "") -> int:
    """Derive the 32-bit seed of one trial: equal for equal arguments, on every machine."""
    digest = hashlib.blake2b(f"{seed} {index} {purpose}".encode(), digest_size=4)
    return int.from_bytes(digest.digest(), "big")
