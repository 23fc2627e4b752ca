"""JSON logs: one object a line; lines between the objects do no harm."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import LogFormat
from filters.extractor import Extractor, extraction_spec
from tests.call_counts import calls_of


def points(text: str | bytes, *metrics: str) -> list[tuple[str, str]]:
    extractor = Extractor(extraction_spec(metrics, LogFormat.JSON))
    stream = text.encode() if isinstance(text, str) else text
    return [(p.name, p.value) for p in extractor.feed(stream) + extractor.finish()]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('{"loss": 0.5}', "0.5"), ('{"loss": "0.5"}', "0.5"), ('{"loss": 1e-05}', "1e-05"), ('{"loss": 3}', "3"),
        ('{"loss": NaN}', "NaN"), ('{"loss": -Infinity}', "-Infinity"), ('{"loss": "high"}', "high"),
        ('{"loss": 0.10}', "0.10"), ('{"loss": 12345678901234567890123}', "12345678901234567890123"),
        ('\x1b[32m{"loss": 0.5}\x1b[0m', "0.5"), ('{"loss": 0.5}\r', "0.5"), (' {"loss": 0.5} ', "0.5"),
    ],
)  # fmt: skip
def test_a_value_keeps_the_text_of_the_line(line: str, value: str) -> None:
    assert points(line, "loss") == [("loss", value)]


def test_a_key_comes_before_a_path_and_both_may_hold_dots() -> None:
    line = '{"val.loss": 1, "val": {"loss": 2, "acc": 3, "top.k": 4}}'
    assert points(line, "val.loss", "val.acc", "val.top.k", "val.none") == [
        ("val.loss", "1"),
        ("val.acc", "3"),
        ("val.top.k", "4"),
    ]


def test_points_of_a_line_come_in_the_order_asked_for() -> None:
    assert points('{"a": 1, "b": 2}', "b", "a") == [("b", "2"), ("a", "1")]


def test_lines_that_are_not_objects_are_counted_and_skipped() -> None:
    extractor = Extractor(extraction_spec(["loss"], LogFormat.JSON))
    stream = b'{"loss": 1}\nWarning: x\n[1]\nnull\n{"loss": \n\n  \n{"loss": null, "a": 1}\n{"loss": 2}\n'
    assert [point.value for point in extractor.feed(stream)] == ["1", "2"]
    assert (extractor.counters.not_json, extractor.counters.wrong_type) == (4, 1)


@pytest.mark.parametrize("line", [b"\r", b"\n", b" \r\n", b"step 7\n", b"[1]\r"], ids=repr)
def test_lines_without_an_object_cost_no_call_each(line: bytes) -> None:
    assert calls_for(line * 10_000) < calls_for(line * 10) + 100


def calls_for(stream: bytes) -> int:
    """Count the calls that a stream costs."""
    extractor = Extractor(extraction_spec(["loss"], LogFormat.JSON))
    return calls_of(lambda: extractor.feed(stream))


def test_invalid_utf_8_in_a_line_costs_nothing_but_the_byte() -> None:
    assert points(b'{"note": "\xff", "loss": 0.5}\n', "loss") == [("loss", "0.5")]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("1638422847.28721", "2021-12-02T05:27:27.28721Z"), ("1.5", "1970-01-01T00:00:01.5Z"),
        ("0", "1970-01-01T00:00:00Z"), ("-0.5", "1969-12-31T23:59:59.5Z"), ("1e9", "2001-09-09T01:46:40Z"),
        ("1638422847.123456789", "2021-12-02T05:27:27.123456789Z"), ("1e300", None), ("-1e11", None), ("NaN", None),
        ("Infinity", None), ("true", None), ('"2021-12-02T05:27:27.5+01:00"', "2021-12-02T05:27:27.5+01:00"),
        ('"2021-12-02"', None), ('""', None), ("null", None), ("-62135596800", "0001-01-01T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_timestamp_field_becomes_the_time_of_the_point(stamp: str, expected: str | None) -> None:
    extractor = Extractor(extraction_spec(["loss"], LogFormat.JSON))
    line = f'{{"timestamp": {stamp}, "loss": 1}}\n'
    assert [point.timestamp for point in extractor.feed(line.encode())] == [expected]


@given(st.dictionaries(st.text(max_size=3), st.floats() | st.text(max_size=3) | st.booleans()))
def test_every_object_that_python_writes_is_read(document: dict[str, object]) -> None:
    line = json.dumps(document | {"loss": 0.5}).encode()
    assert points(line, "loss") == [("loss", "0.5")]
