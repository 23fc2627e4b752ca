"""Folds of a metric's points: count, first, last, minimum, maximum."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.metric_values import finite
from filters.fold import Folded, fold
from filters.points import ExtractedPoint

values = st.sampled_from(["0.5", "0.50", "-1", "nan", "inf", "", "high", "1e3", "1000"])


def point(value: str) -> ExtractedPoint:
    return ExtractedPoint("loss", value, None, 1, 0, 0)


def test_texts_are_kept_and_of_equal_values_the_first_stays() -> None:
    folded = fold(map(point, ["nan", "0.50", "0.5", "1e3", "1000", "-1", "inf"]), {})
    assert folded == {"loss": Folded(count=7, first="nan", last="inf", minimum="-1", maximum="1e3")}


@given(st.lists(values, min_size=1), st.integers(0, 20))
def test_folding_in_two_parts_is_folding_at_once(texts: list[str], place: int) -> None:
    points = [point(text) for text in texts]
    assert fold(points[place:], fold(points[:place], {})) == fold(points, {})


@given(st.lists(values, min_size=1))
def test_the_extremes_are_those_of_the_finite_values(texts: list[str]) -> None:
    folded = fold(map(point, texts), {})["loss"]
    numbers = [number for number in map(finite, texts) if number is not None]
    assert (finite(folded.minimum or ""), finite(folded.maximum or "")) == (
        (min(numbers), max(numbers)) if numbers else (None, None)
    )
