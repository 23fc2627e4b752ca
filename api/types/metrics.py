"""The metrics that a trial reports, and the values that its status keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class MetricPoint(NamedTuple):
    """One value of one metric at one moment.

    It is a named tuple, because a long training creates millions of points, and creating a tuple
    takes half the time of a frozen dataclass.
    """

    name: str
    value: str
    """The text exactly as the trainer wrote it: `0.930`, `nan`, `1e-3`."""
    timestamp: str | None
    """RFC 3339 text; None if the line in the log has no time."""
    step: int | None = None
    """The training's own counter at this value; None if it is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationLog:
    """The points of one trial in the order of their lines."""

    points: tuple[MetricPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedMetric:
    """One metric of a trial, reduced to three values.

    Each is the text of one point, or `unavailable` if no point has a usable value.
    """

    name: str
    min: str = ""
    max: str = ""
    latest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All metrics of a trial, each reduced to three values."""

    metrics: tuple[ObservedMetric, ...] = ()
