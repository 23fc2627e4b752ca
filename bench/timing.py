"""Measure two functions in turn, so that a slowing machine affects both."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Median seconds of both, and the median of the ratio per round."""

    ours: float
    reference: float
    times_as_fast: float


def in_turn(ours: Callable[[], object], reference: Callable[[], object], rounds: int) -> Pair:
    """Run both `rounds` times, alternating."""
    samples = [(seconds(ours), seconds(reference)) for _ in range(rounds)]
    return Pair(
        ours=statistics.median(a for a, _ in samples),
        reference=statistics.median(b for _, b in samples),
        times_as_fast=statistics.median(b / a for a, b in samples),
    )


def seconds(act: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
