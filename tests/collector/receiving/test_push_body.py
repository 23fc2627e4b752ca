"""The body of a push: JSON objects or forms, with a step and a time; what is wrong names its field."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.receiving.push_body import MOST_KEYS, Push, PushRefused, read_push
from filters.journal_finder import JournalPoint


def pushed(body: str | bytes, *metrics: str) -> Push:
    return read_push(body.encode() if isinstance(body, str) else body, metrics or ("loss", "acc"))


@pytest.mark.parametrize(
    ("body", "points"),
    [
        ('{"loss": 0.3, "step": 7}', [("loss", "0.3", 7)]),
        ('{"loss": "0.30", "acc": 1e-05}', [("loss", "0.30", None), ("acc", "1e-05", None)]),
        ('{"loss": 1}\n{"loss": 2}\n\n', [("loss", "1", None), ("loss", "2", None)]),
        ('{\n  "loss": NaN,\n  "epoch": 3\n}', [("loss", "NaN", 3)]),
        ("loss=0.3", [("loss", "0.3", None)]),
        ("loss=0.3&step=7&lr=1", [("loss", "0.3", 7)]),
        ("loss=1e+5\nloss=2\n", [("loss", "1e+5", None), ("loss", "2", None)]),
        ('{"loss": -Infinity, "global_step": "12"}', [("loss", "-Infinity", 12)]),
    ],
)
def test_a_body_is_objects_or_forms(body: str, points: list[tuple[str, str, int | None]]) -> None:
    assert [(p.name, p.value, p.step) for p in pushed(body).points] == points


def test_a_form_may_have_any_name_and_a_metric_may_be_called_step() -> None:
    assert pushed("val%2Floss=1&top+1=2", "val/loss", "top 1").points == (
        JournalPoint("val/loss", "1"),
        JournalPoint("top 1", "2"),
    )
    assert pushed('{"step": 0.5, "epoch": 2}', "step").points == (JournalPoint("step", "0.5", 2),)


def test_a_time_is_kept_as_it_is_or_made_of_seconds() -> None:
    body = '{"loss": 1, "timestamp": "2026-01-02T03:04:05.6+01:00"} {"loss": 2, "timestamp": 1.5}'
    assert [point.timestamp for point in pushed(body).points] == [
        "2026-01-02T03:04:05.6+01:00",
        "1970-01-01T00:00:01.5Z",
    ]


def test_keys_that_are_no_metrics_are_ignored_and_named() -> None:
    assert pushed('{"loss": 1, "lr": [1, 2]} {"lr": 2, "phase": "warm-up"}').ignored == (
        "lr",
        "phase",
    )


@pytest.mark.parametrize(
    ("body", "field", "why"),
    [
        ('{"loss": true}', "loss", "loss is `true`; write a number"),
        ('{"loss": null}', "loss", "write a number"),
        ('{"loss": {"a": 1}}', "loss", "write a number"),
        ('{"loss": "high"}', "loss", "write a number"),
        ('{"loss": "1_000"}', "loss", "write a number"),
        ('{"loss": ""}', "loss", "write a number"),
        ('{"loss": 1, "step": 1.5}', "step", "write a whole number"),
        ('{"loss": 1, "step": 99999999999999999999999}', "step", "write a whole number"),
        ('{"loss": 1, "timestamp": "yesterday"}', "timestamp", "RFC 3339"),
        ("loss=high", "loss", "write a number"),
        ("loss", "loss", "has no `=`"),
        ('{"loss": 1', None, "object 1 is not valid JSON"),
        ('{"loss": 1} [2]', None, "value 2 is not an object"),
        ('{"a":' * 5000, None, "object 1 is not valid JSON"),
        ("", None, "the body is empty"),
        ("{}", None, "the trial collects loss, acc"),
        ('{"step": 3}', None, "the trial collects loss, acc"),
        (b"\xff", None, "not UTF-8"),
    ],
)
def test_what_is_wrong_names_its_field(body: str | bytes, field: str | None, why: str) -> None:
    with pytest.raises(PushRefused) as refused:
        pushed(body)
    assert refused.value.field == field
    assert why in str(refused.value).replace('"', "`")


@given(st.dictionaries(st.text(min_size=1), st.floats()))
def test_numbers_keep_their_text(values: dict[str, float]) -> None:
    body = json.dumps(values).encode()
    names = [name for name in values if name not in ("step", "epoch", "global_step", "timestamp")]
    if names:
        points = read_push(body, names).points
        assert [(p.name, p.value) for p in points if p.name in names] == [
            (name, json.dumps(values[name])) for name in values if name in names
        ]


@given(st.binary())
def test_no_body_fails_in_another_way(body: bytes) -> None:
    with contextlib.suppress(PushRefused):
        read_push(body, ("loss",))


@pytest.mark.parametrize(
    "body",
    [
        "{}" * (MOST_KEYS + 1),
        '{"a": 1}' * MOST_KEYS,
        json.dumps({str(number): 1 for number in range(MOST_KEYS + 1)}),
        "a=1\n" * MOST_KEYS,
    ],
    ids=["empty objects", "objects", "one object", "forms"],
)
def test_a_body_has_a_bounded_number_of_keys(body: str) -> None:
    with pytest.raises(PushRefused, match="more than 10000 keys; send several requests"):
        pushed(body)
