"""From a share of [0, 1] to a value's text and back, for every type and distribution."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.types import Distribution
from suggestion.core.dimensions import dimension_of
from suggestion.core.distributions import RangeDistribution
from tests.suggestion.search_spaces import categorical, double, fits, integer, parameters

SHARES = [(i + 0.5) / 2000 for i in range(2000)]


@given(data=st.data(), share=st.floats(0, 1))
def test_the_value_of_every_share_is_read_back(data: st.DataObject, share: float) -> None:
    spec = data.draw(parameters("p"))
    dimension = dimension_of(spec)
    text = dimension.text(share)

    assert fits(spec, text)
    back = dimension.share(text)
    assert back is not None
    assert 0 <= back <= 1
    if dimension.size is not None:
        assert dimension.text(back) == text


@given(data=st.data())
def test_each_value_is_written_and_read_by_its_number(data: st.DataObject) -> None:
    spec = data.draw(parameters("p"))
    dimension = dimension_of(spec)
    assume(dimension.size is not None)
    number = data.draw(st.integers(0, (dimension.size or 1) - 1))

    assert fits(spec, dimension.value(number))
    assert dimension.index(dimension.value(number)) == number


@given(
    distribution=st.sampled_from([d for d in Distribution if d is not Distribution.UNKNOWN]),
    bounds=st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)).filter(lambda b: b[0] < b[1]),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_distribution_keeps_the_order_and_the_bounds(
    distribution: Distribution, bounds: tuple[float, float], shares: tuple[float, float]
) -> None:
    in_range = RangeDistribution(kind=distribution, low=bounds[0], high=bounds[1])
    below, above = sorted(shares)

    assert in_range.low <= in_range.number(below) <= in_range.number(above) <= in_range.high
    assert in_range.share(in_range.low) == pytest.approx(0, abs=1e-9)
    assert in_range.share(in_range.high) == pytest.approx(1, abs=1e-9)


def test_uniform_has_its_middle_in_the_middle() -> None:
    numbers = _numbers(Distribution.UNIFORM, "0", "10")

    assert statistics.fmean(numbers) == pytest.approx(5, abs=0.01)
    assert sum(number < 1 for number in numbers) == 200


def test_log_uniform_gives_each_decade_an_equal_share() -> None:
    numbers = _numbers(Distribution.LOG_UNIFORM, "0.001", "1")

    for low, high in ((0.001, 0.01), (0.01, 0.1), (0.1, 1)):
        assert sum(low <= number < high for number in numbers) == pytest.approx(667, abs=2)


def test_normal_has_a_sixth_of_the_range_as_deviation() -> None:
    numbers = _numbers(Distribution.NORMAL, "0", "6")

    assert statistics.fmean(numbers) == pytest.approx(3, abs=0.01)
    assert statistics.pstdev(numbers) == pytest.approx(1, abs=0.03)


def test_log_normal_is_normal_in_its_logarithms() -> None:
    logs = [math.log10(number) for number in _numbers(Distribution.LOG_NORMAL, "0.001", "1000")]

    assert statistics.fmean(logs) == pytest.approx(0, abs=0.01)
    assert statistics.pstdev(logs) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("distribution", [Distribution.UNIFORM, Distribution.UNSPECIFIED])
def test_whole_numbers_are_equally_likely(distribution: Distribution) -> None:
    dimension = dimension_of(integer("i", "1", "8", distribution=distribution))
    drawn = [dimension.text(share) for share in SHARES]

    assert {text: drawn.count(text) for text in set(drawn)} == {str(i): 250 for i in range(1, 9)}


def test_the_ends_of_a_logarithmic_range_of_whole_numbers_are_not_halved() -> None:
    dimension = dimension_of(integer("i", "1", "8", distribution=Distribution.LOG_UNIFORM))
    drawn = [dimension.text(share) for share in SHARES]

    assert drawn.count("1") / len(drawn) == pytest.approx(
        math.log(1.5 / 0.5) / math.log(17), abs=0.01
    )


@pytest.mark.parametrize(
    ("low", "high", "step", "texts"),
    [
        ("0.1", "0.5", "0.1", ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        ("0", "1", "0.25", ["0.0", "0.25", "0.5", "0.75", "1.0"]),
        ("1e-5", "3e-5", "1e-5", ["1e-05", "2e-05", "3e-05"]),
        ("-1", "1", "0.9", ["-1.0", "-0.1", "0.8"]),
    ],
)
def test_steps_start_at_min_and_are_exact(low: str, high: str, step: str, texts: list[str]) -> None:
    dimension = dimension_of(double("d", low, high, step=step))

    assert [dimension.value(i) for i in range(dimension.size or 0)] == texts


def test_a_whole_number_larger_than_any_exact_float_is_written_exactly() -> None:
    dimension = dimension_of(integer("i", "9007199254740993", "9007199254740993"))

    assert dimension.text(0.5) == "9007199254740993"


@pytest.mark.parametrize("text", ["x", "", "nan", "inf", "-1", "11"])
def test_a_text_that_is_not_a_value_has_no_share(text: str) -> None:
    assert dimension_of(double("d", "0", "10")).share(text) is None
    assert dimension_of(integer("i", "0", "10")).share(text) is None
    assert dimension_of(categorical("c", "a")).share(text) is None


def test_a_list_keeps_its_texts_and_removes_duplicates() -> None:
    dimension = dimension_of(categorical("c", "b", "1.0", "b", " a "))

    assert [dimension.value(i) for i in range(dimension.size or 0)] == ["b", "1.0", " a "]


def test_a_step_of_very_many_digits_is_read_quickly() -> None:
    dimension = dimension_of(double("d", "1e-300", "1e300", step="1e-300"))

    assert 1e-300 <= float(dimension.text(0.5)) <= 1e300


def _numbers(distribution: Distribution, low: str, high: str) -> list[float]:
    dimension = dimension_of(double("d", low, high, distribution=distribution))
    return [float(dimension.text(share)) for share in SHARES]
