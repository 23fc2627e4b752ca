"""Points as users write them: their forms, their values, and what is said of a mistake."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.errors import UserError
from api.objects.points import parse_points, within
from api.types import FeasibleSpace, ParameterSpec, ParameterType

SPACE = (
    ParameterSpec(name="lr", type=ParameterType.DOUBLE, space=FeasibleSpace(min="0.01", max="1")),
    ParameterSpec(
        name="units", type=ParameterType.INT, space=FeasibleSpace(min="16", max="64", step="16")
    ),
    ParameterSpec(
        name="rate",
        type=ParameterType.DOUBLE,
        space=FeasibleSpace(min="0.1", max="0.7", step="0.2"),
    ),
    ParameterSpec(
        name="opt", type=ParameterType.CATEGORICAL, space=FeasibleSpace(list=("sgd", "adam,w"))
    ),
    ParameterSpec(
        name="drop", type=ParameterType.DISCRETE, space=FeasibleSpace(list=("0.1", "0.50"))
    ),
)


def read(text: str) -> list[dict[str, str]]:
    return [{a.name: a.value for a in within(SPACE, point)} for point in parse_points(text)]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("lr=0.10,units=32", [{"lr": "0.10", "units": "32"}]),
        (" lr = 0.1 ; units=16\n\nopt=sgd", [{"lr": "0.1"}, {"units": "16"}, {"opt": "sgd"}]),
        ("units=48.0,rate=0.3", [{"units": "48", "rate": "0.3"}]),
        ("drop=0.5", [{"drop": "0.50"}]),
        ('[{"lr": 0.10, "opt": "adam,w"}, {"units": 16}]', [
            {"lr": "0.10", "opt": "adam,w"}, {"units": "16"},
        ]),
    ],
)  # fmt: skip
def test_a_point_has_the_values_as_a_search_writes_them(
    text: str, points: list[dict[str, str]]
) -> None:
    assert read(text) == points


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no point; write one, such as lr=0.1,layers=3"),
        ("lr", 'point 1: "lr" has no value; write NAME=VALUE,NAME=VALUE'),
        ("lr=0.1;lr=1,lr=0.1", 'point 2: has "lr" twice; delete one of them'),
        ("learn=0.1", 'no parameter has the name "learn"; write one of lr, units, rate, opt, drop'),
        ("unit=16", 'no parameter has the name "unit"; did you mean "units"?'),
        ("lr=2", 'lr="2" is outside of the range; write a number from 0.01 to 1'),
        ("lr=nan", 'lr="nan" is not a number; write a number from 0.01 to 1'),
        ("units=20.5", "is not a whole number; write a whole number from 16 to 64"),
        ("units=40", 'units="40" is between two steps; the nearest one is 48'),
        ("rate=0.2", 'rate="0.2" is between two steps; the nearest one is 0.1'),
        ("opt=adam", 'opt="adam" is not in the list of opt; write one of sgd, adam,w'),
        ("[1]", "point 1: is not a mapping of names to numbers or texts"),
        ('[{"lr": [1]}]', "point 1: is not a mapping of names to numbers or texts"),
        ('[{"lr": 1', "is not JSON; write a list such as"),
        ("lr=1;" * 1001, "has 1001 points; write at most 1000"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(text: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        read(text)

    assert says in str(caught.value)


@given(text=st.text(alphabet='lrunitsopdae=,;.\n[]{}":0123456789-', max_size=60))
@example("[" * 100_000)
@example("lr=1e-999999999")
@example(f"units={'9' * 10_000}")
def test_no_text_is_more_than_refused(text: str) -> None:
    with contextlib.suppress(UserError):
        read(text)
