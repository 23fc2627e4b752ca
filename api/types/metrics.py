"""What a trial reports about itself, and what is remembered of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class MetricPoint(NamedTuple):
    """One value of one metric at one moment.

    A named tuple, for a long training makes millions of them, and a tuple is made
    in half the time of a frozen dataclass.
    """

    name: str
    value: str
    """The text as the trainer wrote it: `0.930`, `nan`, `1e-3`. Never rounded, never rewritten."""
    timestamp: str | None
    """RFC 3339 text, or None where the line in the log had none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationLog:
    """The points of one trial in the order of their lines."""

    points: tuple[MetricPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedMetric:
    """One metric of a finished trial, folded to three values.

    Each is the text of one point, or `unavailable` where no point would do.
    """

    name: str
    min: str = ""
    max: str = ""
    latest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All metrics of a trial, folded."""

    metrics: tuple[ObservedMetric, ...] = ()
