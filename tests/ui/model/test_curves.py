"""Curves are reduced to what a screen shows, and no extreme is lost."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from ui.model.curves import Curve, Point, band_of, reduced


def points(*values: float | str) -> list[Point]:
    return [Point(n * 1_000_000, str(value)) for n, value in enumerate(values)]


def curve(trial: str, *values: float | str, buckets: int = 100) -> Curve:
    return reduced(trial, "loss", points(*values), buckets)


def test_a_short_curve_keeps_all_its_points() -> None:
    found = curve("a", 3, 2, 1)

    assert (found.index, found.seconds, found.value) == (
        (0, 1, 2),
        (0.0, 1.0, 2.0),
        (3.0, 2.0, 1.0),
    )
    assert (found.count, found.start, found.step) == (3, 0.0, ())


def test_a_curve_without_points_is_empty() -> None:
    found = curve("a")

    assert (found.count, found.start, found.index) == (0, None, ())


def test_a_long_curve_keeps_the_extremes_of_each_bucket() -> None:
    values = [math.sin(n / 7) for n in range(1000)]
    values[503] = 99

    found = curve("a", *values, buckets=10)

    assert len(found.value) <= 2 * 10 + 2
    assert found.index[found.value.index(99.0)] == 503
    assert (found.index[0], found.index[-1]) == (0, 999)


def test_a_value_that_is_not_finite_is_a_gap() -> None:
    found = curve("a", 3, "nan", 1)

    assert found.value == (3.0, None, 1.0)


def test_a_gap_of_a_long_curve_stays_a_gap() -> None:
    found = curve("a", *range(500), "inf", *range(500), buckets=10)

    assert None in found.value


def test_a_window_shows_its_part_in_full() -> None:
    found = reduced("a", "loss", points(*range(1000)), 100, (300, 320))

    assert found.index == tuple(range(300, 321))
    assert found.count == 1000
    assert found.seconds[0] == 300.0


def test_a_window_beyond_the_end_is_empty() -> None:
    assert reduced("a", "loss", points(1, 2), 100, (5, 9)).index == ()


def test_steps_stay_with_their_points() -> None:
    found = reduced("a", "loss", [Point(0, "1", 10), Point(1, "2")], 100)

    assert found.step == (10, None)


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=300),
    st.integers(min_value=1, max_value=40),
)
def test_a_reduced_curve_has_the_range_of_the_whole_one(values: list[float], buckets: int) -> None:
    found = curve("a", *values, buckets=buckets)

    whole = [float(f"{value:.6g}") for value in values if math.isfinite(value)]
    kept = [value for value in found.value if value is not None]
    assert bool(kept) == bool(whole)
    if whole:
        assert (min(kept), max(kept)) == (min(whole), max(whole))
    assert list(found.index) == sorted(set(found.index))
    assert len(found.index) <= max(3 * buckets + 2, 2 * buckets)


def test_the_band_of_many_curves_has_their_median() -> None:
    band = band_of([curve(str(n), n, n + 10) for n in range(11)])

    assert band is not None
    assert band.curves == 11
    assert (band.index, band.middle) == ((0, 1), (5.0, 15.0))
    assert (band.low, band.high) == ((1.0, 11.0), (9.0, 19.0))


def test_a_short_curve_does_not_bend_the_band_behind_its_end() -> None:
    long = [curve(str(n), 1, 1, 1) for n in range(3)]

    band = band_of([*long, curve("short", 9)])

    assert band is not None
    assert band.middle[-1] == 1.0
    assert band.high[-1] == 1.0


def test_two_curves_are_no_band() -> None:
    assert band_of([curve("a", 1), curve("b", 2), curve("c")]) is None
