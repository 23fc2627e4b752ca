"""Which texts are a metric's numbers, and which only look like numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.metric_values import finite
from filters.numbers import NUMBER, all_finite, plain

WHOLE = re.compile(NUMBER)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", "0.5"), (".98", ".98"), ("-7.53e-05", "-7.53e-05"), ("1E0", "1E0"), ("+.5", "+.5"), ("1.", "1"),
        ("1. Next", "1"), ("1.e-05", "1.e-05"), ("1,234.5", "1234.5"), ("12,345,678", "12345678"), ("95%", "95"),
        ("47ms", "47"), ("1_234.5", "1234.5"), ("1_000", "1000"), ("nan", "nan"), ("NaN,", "NaN"), ("-inf", "-inf"), ("Infinity", "Infinity"),
        ("1e5", "1e5"), ("5, 6", "5"), ("0.3,0.4", "0.3"), ("007", "007"), ("5 / epoch", "5"),
    ],
)  # fmt: skip
def test_these_are_numbers(text: str, value: str) -> None:
    match = WHOLE.match(text.encode())
    assert match is not None
    assert plain(match[0]) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "-", "+", ".", "e5", "nano", "inform", "0:00:12", "1.2.3", "2026-11-23", "0x1f", "0,35", "1,2", "none",
        "3/10", "0.5 / 0.6", "0.3-0.5", "0.3..0.5", "0.5 -> 0.3", "0.5 to 0.3", "2.78G", "1.2k", "3f9a2b", "1m30s",
        "0.43.ckpt", "0.4f}", "1_00", "0_5", "10it [00:01, 9.5it/s]", "0.5 * x", "100%|██", "100% ━━━ 4/4", "93%|",
        "50% [==>  ]", "50% [##  ]", "50% (5 of 10)", "50% 5/10", "50% |####    |", "45% complete", "45.2% ⣿⣿", "7 %|",
    ],
)  # fmt: skip
def test_these_are_not_numbers(text: str) -> None:
    assert WHOLE.match(text.encode()) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_that_python_prints_is_read_back(number: float) -> None:
    match = WHOLE.match(repr(number).encode())
    assert match is not None
    assert finite(plain(match[0])) == number


@given(st.lists(st.one_of(st.floats().map(repr), st.text(max_size=3)), max_size=6))
def test_the_check_of_many_values_at_once_misses_none(values: list[str]) -> None:
    if all_finite(values):
        assert all(finite(value) is not None for value in values)
