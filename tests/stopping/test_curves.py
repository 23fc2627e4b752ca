"""The curve of a metric: what was used up, and what the best value was until then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopping.curves import Curve, Point, Resource, curve_of
from tests.stopping.histories import curve

POINTS = st.lists(
    st.tuples(
        st.sampled_from(["1", "0.5", "-2", "nan", "inf", "x", "1e9"]),
        st.none() | st.integers(0, 30),
        st.integers(0, 10**9),
    ).map(lambda parts: Point(*parts)),
    max_size=40,
)


@pytest.mark.parametrize(
    ("resource", "amount", "number"),
    [
        (Resource.STEP, 20, 3),
        (Resource.STEP, 15, 3),
        (Resource.STEP, 0, 1),
        (Resource.STEP, 31, None),
        (Resource.POINTS, 2, 2),
        (Resource.SECONDS, 6.5, 4),
    ],
)
def test_a_mark_is_found_by_what_was_used(
    resource: Resource, amount: float, number: int | None
) -> None:
    made = curve_of(
        Point(str(value), step, 1_000_000 * second)
        for value, step, second in [(3, 0, 5), (2, 10, 7), (1, 20, 9), (4, 30, 12)]
    )

    mark = made.at(amount, resource)

    assert (mark.number if mark else None) == number


def test_a_training_without_steps_counts_its_values() -> None:
    made = curve_of(Point("1", None, 0) for _ in range(3))

    assert made.used(Resource.STEP) == made.used(Resource.POINTS) == 3


def test_values_that_are_not_numbers_count_but_are_never_best() -> None:
    last = curve(["nan", 2, "inf", 1, "x"]).last

    assert last is not None
    assert (last.number, last.least, last.greatest, last.mean, last.value) == (5, 1, 2, 1.5, None)


def test_a_training_that_starts_again_has_a_new_curve() -> None:
    made = curve([5, 4, 3]).extended([Point("9", 1, 60_000_000), Point("8", 2, 61_000_000)])

    assert [mark.value for mark in made.marks] == [9, 8]
    assert made.used(Resource.SECONDS) == 1


def test_a_clock_that_goes_back_does_not_give_time_back() -> None:
    made = curve_of([Point("1", 1, 9_000_000), Point("1", 2, 12_000_000), Point("1", 3, 0)])

    assert [mark.seconds for mark in made.marks] == [0, 3, 3]


@given(POINTS, st.integers(0, 40))
def test_it_does_not_matter_in_how_many_parts_the_points_come(
    points: list[Point], cut: int
) -> None:
    assert Curve().extended(points[:cut]).extended(points[cut:]) == curve_of(points)


@given(POINTS, st.sampled_from(Resource), st.floats(0, 40))
def test_the_first_mark_that_has_used_enough_is_found(
    points: list[Point], resource: Resource, amount: float
) -> None:
    made = curve_of(points)

    enough = [mark for mark in made.marks if mark.used(resource) >= amount]

    assert made.at(amount, resource) == (enough[0] if enough else None)


def test_a_long_curve_loses_resolution_and_nothing_else() -> None:
    made = curve_of(Point(str(-i), i, i) for i in range(12_000))

    assert len(made.marks) <= 300
    assert made.last is not None
    assert made.last.number == 12_000
    assert made.last.least == 1 - 12_000
    mark = made.at(1000, Resource.POINTS)
    assert mark is not None
    assert 1000 <= mark.number < 1032


def test_a_long_curve_stays_exact_at_the_low_rungs() -> None:
    made = curve_of(Point(str(-i), i, i) for i in range(1, 10_001))

    for rung in (1, 4, 16, 64):
        mark = made.at(rung, Resource.STEP)
        assert mark is not None
        assert (mark.number, mark.least) == (rung, -rung)
