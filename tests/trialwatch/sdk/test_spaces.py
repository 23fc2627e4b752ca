"""A space in Python means the same as its text on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialwatch.sdk.errors import TuneError
from trialwatch.sdk.spaces import (
    Float,
    Int,
    Space,
    Value,
    decoded,
    decoder_of,
    space_text,
    value_text,
)
from trialwatch.tuning.space import read_space

NUMBERS = st.floats(min_value=1e-300, max_value=1e300)


@pytest.mark.parametrize(
    ("space", "text", "sample", "value"),
    [
        ("0.001..0.1:log", "0.001..0.1:log", "0.01", 0.01),
        ("2..5", "2..5", "3", 3),
        ("0..1:float", "0..1:float", "1", 1.0),
        ("adam,sgd", "adam,sgd", "adam", "adam"),
        ("16,32", "16,32", "16", 16),
        ((0.001, 0.1), "0.001..0.1", "0.05", 0.05),
        ((2, 5), "2..5", "3", 3),
        ((0, 0.5), "0.0..0.5", "0.25", 0.25),
        (range(2, 6), "2..5", "2", 2),
        (range(16, 257, 16), "16..256:step=16", "32", 32),
        (range(9, 0, -2), "1..9:step=2", "3", 3),
        (Float(1e-5, 1, log=True), "1e-05..1.0:log", "1.0", 1.0),
        (Float(0, 1, step=0.25), "0.0..1.0:step=0.25", "0.5", 0.5),
        (Int(1, 100, log=True), "1..100:log", "10", 10),
        (["adam", "sgd"], "adam,sgd", "sgd", "sgd"),
        ([16, 32], "16,32", "32", 32),
        ([0.5, 1], "0.5,1", "1", 1),
        ([True, False], "true,false", "true", True),
        ([None, "a b", 'a,"b"'], 'None,"a b","a,\\"b\\""', "None", None),
        (["1..2", "0.5"], '"1..2","0.5"', "0.5", "0.5"),
        ((np.float64(0.5), np.float64(0.75)), "0.5..0.75", "0.5", 0.5),
    ],
)
def test_a_space_is_written_as_on_the_command_line_and_its_values_come_back(
    space: Space, text: str, sample: str, value: Value
) -> None:
    assert space_text("x", space) == text
    assert read_space(text).parameter("x").name == "x"
    back = decoded(sample, decoder_of(space))
    assert (back, type(back)) == (value, type(value))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, unique=True))
def test_any_texts_are_a_choice(texts: list[str]) -> None:
    space = read_space(space_text("x", texts))

    assert list(space.feasible.list) == texts


@given(NUMBERS, NUMBERS)
def test_any_range_keeps_its_exact_bounds(low: float, high: float) -> None:
    if low == high:
        return
    low, high = sorted((low, high))
    space = read_space(space_text("x", (low, high)))

    assert (float(space.feasible.min), float(space.feasible.max)) == (low, high)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (("adam", "sgd"), "write the list ['adam', 'sgd']"),
        ((1, 2, 3), "write the list [1, 2, 3]"),
        (range(5, 1), "has no value: write range(1, 9)"),
        ([object()], "cannot be a value of a parameter: use texts, numbers"),
        (Int(0.5, 2), "0.5 is not a whole number: write trialwatch.Float"),  # type: ignore[arg-type]  # the mistake
        (0.5, "is not a space: write a text such as '0.001..0.1:log', a tuple"),
        ({"low": 1}, "is not a space: write a text such as"),
    ],
)
def test_what_is_not_a_space_gets_what_to_write(space: Space, words: str) -> None:
    with pytest.raises(TuneError) as caught:
        space_text("x", space)

    assert str(caught.value).startswith("space['x']: ")
    assert words in str(caught.value)


def test_a_text_of_a_value_is_that_of_other_languages() -> None:
    assert [value_text(one) for one in (True, False, 3, 0.5, "a", None)] == [
        *("true", "false", "3", "0.5", "a", "None"),
    ]
