"""Where a value stands on its axis, and what is written beside the axis."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.types import Distribution, FeasibleSpace, ParameterSpec, ParameterType
from trialwatch.view.axes import Listed, Range, axis_of, axis_over

DOUBLE, INT = ParameterType.DOUBLE, ParameterType.INT
LOG = Distribution.LOG_UNIFORM


def parameter(kind: ParameterType, **space: object) -> ParameterSpec:
    return ParameterSpec(name="p", type=kind, space=FeasibleSpace(**space))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "text", "place"),
    [
        (parameter(DOUBLE, min="0", max="10"), "2.5", 0.25),
        (parameter(DOUBLE, min="0", max="10"), "11", None),
        (parameter(DOUBLE, min="0", max="10"), "nan", None),
        (parameter(DOUBLE, min="0", max="10"), "adam", None),
        (parameter(DOUBLE, min="1e-4", max="1", distribution=LOG), "0.01", 0.5),
        (parameter(DOUBLE, min="1e-4", max="1", distribution=Distribution.LOG_NORMAL), "0.01", 0.5),
        (parameter(DOUBLE, min="0", max="1", distribution=Distribution.NORMAL), "0.25", 0.25),
        (parameter(DOUBLE, min="3", max="3"), "3", 0.5),
        (parameter(DOUBLE, min="", max=""), "3", None),
        (parameter(INT, min="2", max="6"), "3", 0.25),
        (parameter(ParameterType.CATEGORICAL, list=("sgd", "adam", "ftrl")), "adam", 0.5),
        (parameter(ParameterType.CATEGORICAL, list=("sgd", "adam", "ftrl")), "Adam", None),
        (parameter(ParameterType.CATEGORICAL, list=("sgd",)), "sgd", 0.5),
        (parameter(ParameterType.DISCRETE, list=("16", "32", "1024")), "32", 0.5),
    ],
)
def test_a_value_has_its_place(spec: ParameterSpec, text: str, place: float | None) -> None:
    assert axis_of(spec).position(text) == pytest.approx(place)


@pytest.mark.parametrize(
    ("spec", "labels"),
    [
        (parameter(DOUBLE, min="0", max="1"), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (parameter(DOUBLE, min="0.01", max="0.03"), ["0.01", "0.015", "0.02", "0.025", "0.03"]),
        (parameter(INT, min="2", max="5"), ["2", "3", "4", "5"]),
        (parameter(INT, min="1", max="128"), ["1", "50", "100", "128"]),
        (
            parameter(DOUBLE, min="1e-5", max="1e-1", distribution=LOG),
            ["1e-05", "0.0001", "0.001", "0.01", "0.1"],
        ),
        (
            parameter(DOUBLE, min="0.003", max="0.1", distribution=LOG),
            ["0.003", "0.005", "0.01", "0.02", "0.05", "0.1"],
        ),
        (parameter(ParameterType.CATEGORICAL, list=("sgd", "adam")), ["sgd", "adam"]),
        (parameter(DOUBLE, min="3", max="3"), ["3"]),
        (parameter(DOUBLE, min="x", max="y"), []),
    ],
)
def test_an_axis_has_its_ends_and_round_numbers(spec: ParameterSpec, labels: list[str]) -> None:
    assert [label for _, label in axis_of(spec).ticks] == labels


def test_of_a_long_list_some_entries_are_written() -> None:
    axis = Listed(entries=tuple(f"entry number {i} of very many" for i in range(100)))

    assert len(axis.ticks) <= 12
    assert axis.ticks[0] == (0, "entry number 0 of…")


def test_an_objective_of_many_magnitudes_is_drawn_by_its_logarithm() -> None:
    assert axis_over([1e-6, 1.0]).place(1e-3) == pytest.approx(0.5)
    assert axis_over([0.1, 0.9]).place(0.5) == pytest.approx(0.5)
    assert axis_over([-1.0, 1e6]).logarithmic is False
    assert axis_over([]).ticks == ((0.5, "0"),)


@given(
    low=st.floats(-1e12, 1e12), high=st.floats(-1e12, 1e12), log=st.booleans(), whole=st.booleans()
)
def test_ticks_are_few_in_order_and_on_the_axis(
    low: float, high: float, *, log: bool, whole: bool
) -> None:
    assume(low < high)
    assume(not log or low > 1e-12)

    ticks = Range(low=low, high=high, logarithmic=log, whole=whole).ticks

    places = [place for place, _ in ticks]
    assert places == sorted(places)
    assert places[0] == pytest.approx(0)
    assert places[-1] == pytest.approx(1)
    assert len(ticks) <= 14
