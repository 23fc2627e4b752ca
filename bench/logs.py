"""Logs for measurements, with a fixed seed, so that all runs read the same bytes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BLOCK = 16 << 20


def write_log(path: Path, size: int, line: Callable[[random.Random, int], str]) -> Path:
    """Write a log of about `size` bytes: one block of whole lines, repeated."""
    rng = random.Random(20261123)  # noqa: S311 - a log, not a key
    rows: list[str] = []
    length = number = 0
    while length < min(size, _BLOCK):
        number += 1
        rows.append(line(rng, number))
        length += len(rows[-1])
    block = "".join(rows).encode()
    with path.open("wb") as log:
        for _ in range(round(size / len(block))):
            log.write(block)
    return path


def one_line_in_a_hundred(rng: random.Random, number: int) -> str:
    """Return mostly irrelevant lines; every hundredth line has two metrics."""
    if number % 100:
        return (
            f"{_stamp(number)} INFO worker-{number % 7} step {number} fetched batch of 128 items "
            f"from shard {number * 7 % 991} in {number % 97} ms\n"
        )
    return f"{_stamp(number)} INFO epoch {number // 100} {_pairs(rng)}\n"


def one_line_in_a_thousand(rng: random.Random, number: int) -> str:
    """Return almost only irrelevant lines; every thousandth line has two metrics."""
    return one_line_in_a_hundred(rng, number if number % 1000 == 0 else 1)


def every_line(rng: random.Random, number: int) -> str:
    """Return a line with two of the three collected metrics."""
    return f"{_stamp(number)} INFO epoch {number // 100} step {number} {_pairs(rng)} lr=0.001\n"


def seeds_format(rng: random.Random, number: int) -> str:
    """Return a line in the format of Katib's File example."""
    return (
        f"{_stamp(number)} INFO {{metricName: loss, metricValue: {rng.random():.4f}}};"
        f"{{metricName: accuracy, metricValue: {rng.random():.4f}}}\n"
    )


def _pairs(rng: random.Random) -> str:
    return f"loss={rng.random():.4f} accuracy={rng.random():.4f}"


def _stamp(number: int) -> str:
    return f"2026-11-23T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
