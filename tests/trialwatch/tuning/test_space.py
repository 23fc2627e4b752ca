"""Spaces as users write them."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.types import Distribution, FeasibleSpace, ParameterType
from suggestion.core.search_space import space_of
from trialwatch.tuning.space import DISTRIBUTIONS, Space, list_space, range_space, read_space
from trialwatch.tuning.space_mistakes import SpaceError

DOUBLE, INT = ParameterType.DOUBLE, ParameterType.INT
DISCRETE, CATEGORICAL = ParameterType.DISCRETE, ParameterType.CATEGORICAL


@pytest.mark.parametrize(
    ("text", "kind", "feasible"),
    [
        ("2..5", INT, FeasibleSpace(min="2", max="5")),
        ("-3..-1", INT, FeasibleSpace(min="-3", max="-1")),
        ("0.1..0.5", DOUBLE, FeasibleSpace(min="0.1", max="0.5")),
        ("0.0..1", DOUBLE, FeasibleSpace(min="0.0", max="1")),
        ("0..1:float", DOUBLE, FeasibleSpace(min="0", max="1")),
        ("1e3..1e5:int", INT, FeasibleSpace(min="1000", max="100000")),
        (".1...5", DOUBLE, None),
        (
            "0.001..0.1:log",
            DOUBLE,
            FeasibleSpace(min="0.001", max="0.1", distribution=Distribution.LOG_UNIFORM),
        ),
        (
            "1..9:normal",
            INT,
            FeasibleSpace(min="1", max="9", distribution=Distribution.NORMAL),
        ),
        ("16..256:step=16", INT, FeasibleSpace(min="16", max="256", step="16")),
        ("1..5:step=.5", DOUBLE, FeasibleSpace(min="1", max="5", step="0.5")),
        ("adam,sgd", CATEGORICAL, FeasibleSpace(list=("adam", "sgd"))),
        (" adam , sgd ", CATEGORICAL, FeasibleSpace(list=("adam", "sgd"))),
        ("16,32", DISCRETE, FeasibleSpace(list=("16", "32"))),
        ("0,auto", CATEGORICAL, FeasibleSpace(list=("0", "auto"))),
        ('"a,b",""', CATEGORICAL, FeasibleSpace(list=("a,b", ""))),
        ("../a,../b", CATEGORICAL, FeasibleSpace(list=("../a", "../b"))),
        ("12:30,18:00", CATEGORICAL, FeasibleSpace(list=("12:30", "18:00"))),
    ],
)
def test_a_space_is_read(text: str, kind: ParameterType, feasible: FeasibleSpace | None) -> None:
    if feasible is None:
        with pytest.raises(SpaceError):
            read_space(text)
        return
    assert read_space(text) == Space(type=kind, feasible=feasible)


MISTAKES = [
    ("0.1..0.001", "the first bound is larger than the second: write 0.001..0.1"),
    ("0.1..0.001:log", "the first bound is larger than the second: write 0.001..0.1:log"),
    ("1...5", "a range has two dots: write 1..5"),
    ("0.1-0.5", "a range has two dots: write 0.1..0.5"),
    ("1:5", "a range has two dots: write 1..5"),
    ("0.1:1:log", "a range has two dots: write 0.1..1:log"),
    ("0.1 .. 0.5", "a range has two dots: write 0.1..0.5"),
    ("[0.1,0.5]", "a space has no brackets: write 0.1..0.5 or 0.1,0.5"),
    ("[adam, sgd]", "a space has no brackets: write adam,sgd"),
    ("loguniform(1e-3,0.1)", "a space has no brackets: write 1e-3..0.1:log"),
    ("uniform(0.5, 1)", "a space has no brackets: write 0.5..1"),
    (
        "1..5:step=9",
        "the step 9 is wider than the range, so only 1 is left: write 1..5 or 1,5",
    ),
    ("1..5:step=0", "the step 0 must be above 0: write 1..5"),
    ("1..5:step=x", "'x' is not a number"),
    ("1..5:0.5", "'0.5' is not an option of a range: write 1..5:step=0.5"),
    (
        "1..5:lin",
        (
            "'lin' is not an option of a range (options are :log, :normal, :lognormal, :int, :float, :step=NUMBER):"
            " write 1..5:log"
        ),
    ),
    (
        "3..3",
        "both bounds are 3, so there is only one value; put the value into the command, or write a wider range",
    ),
    (
        "0..1:log",
        "a logarithm needs bounds above 0, and 0 is not: write 0.001..1:log or 0..1",
    ),
    ("-2..-1:log", "a logarithm needs bounds above 0, and -2 is not: write -2..-1"),
    ("0.5..3:int", "with :int, bounds and step must be whole numbers: write 1..3 or 0.5..3"),
    ("0.1", "'0.1' is only one value: write 0.01..1:log or 0.1,0.2"),
    ("8", "'8' is only one value: write 1..16 or 8,16"),
    ("adam", "'adam' is only one value: write adam,ANOTHER"),
    ("1..", "a bound of '1..' is missing: write 1..10"),
    ("low..5", "'low' is not a number: write 0.5..5"),
    ("1e999..2", "'1e999' is not a number"),
    ("", "the space is empty: write 0.001..0.1:log or 2..5 or adam,sgd"),
    ("a,,b", 'a value is empty (for an empty text, write ""): write a,b'),
    ("a,", 'a value is empty (for an empty text, write ""): write a,ANOTHER'),
    ("a,b,a", "the list has 'a' twice: write a,b"),
    ("1..5,7", "a list cannot contain '1..5': write either a range or a list"),
    ("16,32:log", "a list cannot contain '32:log': write either a range or a list"),
    ('"a,b', '\'"a,b\' begins with a quote that does not end; write "a,b" or no quotes'),
    ('"a"b,c', "a comma is missing before 'b,c'"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_wrong_space_gets_what_to_write(text: str, message: str) -> None:
    with pytest.raises(SpaceError) as caught:
        read_space(text)

    assert str(caught.value) == message


@pytest.mark.parametrize("text", [text for text, _ in MISTAKES])
def test_what_a_message_proposes_is_a_space(text: str) -> None:
    with pytest.raises(SpaceError) as caught:
        read_space(text)

    for proposed in caught.value.instead:
        assert str(read_space(proposed)) == proposed


def numbers() -> st.SearchStrategy[str]:
    whole = st.integers(-(10**9), 10**9).map(str)
    fraction = st.floats(-1e9, 1e9).map(repr)
    return st.one_of(whole, fraction, st.sampled_from(["1e-3", ".5", "+2", "007", "1E5", "-.25"]))


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Draw a space, as a program makes it."""
    if draw(st.booleans()):
        values = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
        return list_space(draw(st.lists(values | numbers(), min_size=2, max_size=5, unique=True)))
    low, high = sorted((draw(numbers()), draw(numbers())), key=float)
    width = Fraction(high) - Fraction(low)
    step = draw(st.sampled_from(["", "1", "0.5", "3"])) if width >= 3 else ""
    kinds = [Distribution.UNSPECIFIED, Distribution.NORMAL]
    if float(low) > 0:
        kinds += DISTRIBUTIONS.values()
    whole = draw(st.sampled_from([None, False]))
    try:
        return range_space(
            low, high, step=step, distribution=draw(st.sampled_from(kinds)), whole=whole
        )
    except SpaceError:
        return range_space("1", "2")


@given(spaces())
def test_a_written_space_reads_back_as_itself(space: Space) -> None:
    assert read_space(str(space)) == space


@given(spaces())
def test_the_search_accepts_each_space(space: Space) -> None:
    assert space_of([space.parameter("x")]).point([0.5])


@given(st.text(alphabet='0123456789.,:-+e "[]()logstepint='))
def test_any_text_is_a_space_or_gets_a_message(text: str) -> None:
    with contextlib.suppress(UserError):
        space = read_space(text)
        assert read_space(str(space)) == space
