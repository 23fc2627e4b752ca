"""`trialwatch.report` prints a line, and the collector's extraction reads exactly what it says."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.types import LogFormat
from filters.extractor import Extractor, extraction_spec
from trialwatch.sdk.reporting import metrics_line, report

NOW = datetime(2026, 11, 30, 12, 15, 3, 120, tzinfo=UTC)
STAMP = "2026-11-30T12:15:03.000120Z"
NAMES = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_/.@%-]{0,20}\Z")


def read(line: str, names: list[str]) -> list[tuple[str, str, str | None]]:
    extractor = Extractor(extraction_spec(names, LogFormat.TEXT))
    points = (*extractor.feed(line.encode() + b"\n"), *extractor.finish())
    return [(point.name, point.value, point.timestamp) for point in points]


def test_a_line_has_time_step_and_metrics() -> None:
    line = metrics_line({"loss": 0.3, "val/acc": 1}, 7, NOW)

    assert line == f"{STAMP} step=7 loss=0.3 val/acc=1"
    assert read(line, ["loss", "val/acc"]) == [("loss", "0.3", STAMP), ("val/acc", "1", STAMP)]


@given(st.dictionaries(NAMES, st.floats(), min_size=1, max_size=5), st.none() | st.integers(0))
def test_every_metric_is_read_back_exactly(metrics: dict[str, float], step: int | None) -> None:
    metrics.pop("step", None)
    if not metrics:
        return
    points = read(metrics_line(metrics, step, NOW), list(metrics))

    assert {name for name, _, _ in points} == metrics.keys()
    for name, text, stamp in points:
        value = float(text)
        assert value == metrics[name] or (math.isnan(value) and math.isnan(metrics[name]))
        assert stamp == STAMP


def test_outside_of_a_trial_it_only_prints(capsys: pytest.CaptureFixture[str]) -> None:
    report({"val/acc": 0.5}, loss=2, step=3)

    assert capsys.readouterr().out.endswith("Z step=3 val/acc=0.5 loss=2\n")


@pytest.mark.parametrize("name", ["val loss", "a=b", "", "a:b"])
def test_a_name_that_cannot_be_read_back_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="write '"):
        metrics_line({name: 1.0}, None, NOW)


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(TypeError, match="the metric 'loss' is not a number: 'high'"):
        metrics_line({"loss": "high"}, None, NOW)  # type: ignore[dict-item]  # the mistake
    with pytest.raises(ValueError, match=r"write report\(loss=0.3\)"):
        metrics_line({}, None, NOW)
