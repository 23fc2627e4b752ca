"""The curve of a metric: reduced to what a screen can show, and many curves as one band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from api.metric_values import finite
from ui.model.numbers import six

_BAND_POINTS = 120
_QUANTILES = (0.1, 0.5, 0.9)


class Point(NamedTuple):
    """One stored value of one metric."""

    micros: int
    """Microseconds since 1970 in UTC."""
    text: str
    """As the trainer wrote it."""
    step: int | None = None
    """The training's own counter, if it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The curve of one metric of one trial."""

    trial: str
    metric: str
    count: int
    """How many points the whole curve has."""
    start: float | None
    """When its first point was made, in seconds since 1970; None without points."""
    index: tuple[int, ...]
    """The position of each kept point in the whole curve, from 0."""
    seconds: tuple[float, ...]
    """Since the first point."""
    step: tuple[int | None, ...]
    """The training's own counter; empty if no point has one."""
    value: tuple[float | None, ...]
    """None means not a finite number: the line has a gap there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Where most of many curves lie, at some positions."""

    curves: int
    """How many curves there are."""
    index: tuple[int, ...]
    low: tuple[float | None, ...]
    """A tenth of the curves lies below."""
    middle: tuple[float | None, ...]
    high: tuple[float | None, ...]
    """A tenth of the curves lies above."""


def reduced(
    trial: str,
    metric: str,
    points: Sequence[Point],
    buckets: int,
    window: tuple[int, int] | None = None,
) -> Curve:
    """Return a curve with at most two points for each bucket: its least and its greatest.

    Args:
        trial: the name of the trial.
        metric: the name of the metric.
        points: all points of the metric, in their order.
        buckets: how many equal parts the visible range has.
        window: the visible range of positions, both inclusive; None means all.
    """
    first, last = window or (0, len(points) - 1)
    first, last = max(first, 0), min(last, len(points) - 1)
    start = points[0].micros if points else 0
    kept = _kept([finite(point.text) for point in points[first : last + 1]], buckets)
    places = [first + place for place in kept]
    steps = tuple(points[place].step for place in places)
    return Curve(
        trial=trial,
        metric=metric,
        count=len(points),
        start=start / 1e6 if points else None,
        index=tuple(places),
        seconds=tuple(round((points[place].micros - start) / 1e6, 3) for place in places),
        step=steps if any(step is not None for step in steps) else (),
        value=tuple(six(finite(points[place].text)) for place in places),
    )


def band_of(curves: Sequence[Curve]) -> Band | None:
    """Return the band of many curves; None if fewer than three have a point."""
    drawn = [curve for curve in curves if any(value is not None for value in curve.value)]
    if len(drawn) <= len(_QUANTILES) - 1:
        return None
    longest = max(curve.index[-1] for curve in drawn)
    places = np.unique(np.linspace(0, longest, _BAND_POINTS).round().astype(np.int64))
    heights = np.stack([_heights(curve, places) for curve in drawn])
    enough = (~np.isnan(heights)).sum(axis=0) > 0
    places, heights = places[enough], heights[:, enough]
    low, middle, high = np.nanquantile(heights, _QUANTILES, axis=0)
    return Band(
        curves=len(drawn),
        index=tuple(places.tolist()),
        low=_sixes(low),
        middle=_sixes(middle),
        high=_sixes(high),
    )


def _kept(values: Sequence[float | None], buckets: int) -> list[int]:
    """Return the positions of the first and the last value, and of both extremes per bucket."""
    total = len(values)
    if total <= 2 * buckets:
        return list(range(total))
    kept = {0, total - 1}
    for bucket in range(buckets):
        low, high = bucket * total // buckets, (bucket + 1) * total // buckets
        seen = [place for place in range(low, high) if values[place] is not None]
        if len(seen) < high - low:  # a gap in the line
            kept.add(next(place for place in range(low, high) if values[place] is None))
        if seen:
            kept.add(min(seen, key=lambda place: values[place] or 0.0))
            kept.add(max(seen, key=lambda place: values[place] or 0.0))
    return sorted(kept)


def _heights(curve: Curve, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    pairs = [(i, v) for i, v in zip(curve.index, curve.value, strict=True) if v is not None]
    heights = np.interp(
        places, [i for i, _ in pairs], [v for _, v in pairs], left=np.nan, right=np.nan
    )
    return np.asarray(heights, dtype=np.float64)


def _sixes(values: npt.NDArray[np.float64]) -> tuple[float | None, ...]:
    return tuple(six(value) for value in values.tolist())
