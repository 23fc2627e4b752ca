"""How long a program waits before its next try."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.backoff import Backoff

_SECONDS = st.floats(0.001, 1e6)
_CHANCES = st.floats(0, 1)
_BACKOFFS = st.builds(
    lambda first, times, spread: Backoff(first=first, longest=first * times, spread=spread),
    _SECONDS,
    st.floats(1, 1e6),
    _CHANCES,
)


def test_waits_double_from_the_first_to_the_longest() -> None:
    waits = Backoff(first=0.5, longest=3).waits()

    assert list(islice(waits, 5)) == [0.5, 1, 2, 3, 3]


def test_half_of_a_wait_is_left_to_chance_where_the_spread_is_a_half() -> None:
    backoff = Backoff(first=1, longest=8, spread=0.5)

    assert [backoff.wait(2, chance) for chance in (0, 0.5, 1)] == [1, 1.5, 2]


def test_all_of_a_wait_is_left_to_chance_where_the_spread_is_one() -> None:
    backoff = Backoff(first=1, longest=8, spread=1)

    assert [backoff.wait(2, chance) for chance in (0, 0.5, 1)] == [0, 1, 2]


def test_each_wait_has_a_random_number_of_its_own() -> None:
    numbers = iter([0.0, 1.0, 0.0])

    waits = Backoff(first=1, longest=8, spread=0.5).waits(lambda: next(numbers))

    assert list(islice(waits, 3)) == [0.5, 2, 2]


@given(_BACKOFFS, st.integers(1, 10**9), _CHANCES)
def test_no_wait_is_longer_than_the_longest_or_shorter_than_its_certain_share(
    backoff: Backoff, failures: int, chance: float
) -> None:
    wait = backoff.wait(failures, chance)

    assert backoff.first * (1 - backoff.spread) <= wait * (1 + 1e-9)
    assert wait <= backoff.longest * (1 + 1e-9)


@given(_BACKOFFS, _CHANCES)
def test_waits_never_shrink_and_come_to_the_longest(backoff: Backoff, chance: float) -> None:
    waits = [backoff.wait(failures, chance) for failures in range(1, 60)]

    assert all(before <= after for before, after in pairwise(waits))
    assert backoff.wait(59, 1.0) == pytest.approx(backoff.longest)


@given(_BACKOFFS, st.integers(1, 100))
def test_the_waits_one_by_one_are_those_after_so_many_failures(
    backoff: Backoff, count: int
) -> None:
    waits = list(islice(backoff.waits(lambda: 0.25), count))

    assert waits == [backoff.wait(failures, 0.25) for failures in range(1, count + 1)]
