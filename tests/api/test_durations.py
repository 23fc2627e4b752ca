from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.durations import LONGEST, parse_duration, render_duration
from api.errors import UserError

WRITTEN = {
    "0s": timedelta(),
    "1µs": timedelta(microseconds=1),
    "250ms": timedelta(milliseconds=250),
    "1.5ms": timedelta(microseconds=1500),
    "1s": timedelta(seconds=1),
    "1.000001s": timedelta(seconds=1, microseconds=1),
    "1m30s": timedelta(seconds=90),
    "1h0m0s": timedelta(hours=1),
    "25h0m0.5s": timedelta(days=1, hours=1, milliseconds=500),
    "-1m0s": timedelta(minutes=-1),
}
ALSO_READ = {
    "0": timedelta(),
    "+0": timedelta(),
    "-0": timedelta(),
    "+1s": timedelta(seconds=1),
    "1.s": timedelta(seconds=1),
    ".5s": timedelta(milliseconds=500),
    "1.5h": timedelta(minutes=90),
    "1us": timedelta(microseconds=1),
    "1μs": timedelta(microseconds=1),
    "1999ns": timedelta(microseconds=1),
    "1s1s": timedelta(seconds=2),
    "1s1h": timedelta(seconds=3601),
    "300s": timedelta(minutes=5),
    "0.1s": timedelta(milliseconds=100),
    "2562047h47m16.854775807s": LONGEST,
}
REFUSED = ["", "1", "s", "1x", "1 s", " 1s", "1s ", "1S", "-", "+-1s", ".s", "1..s", "1e3s", "1d"]


@pytest.mark.parametrize(("text", "duration"), {**WRITTEN, **ALSO_READ}.items())
def test_a_duration_is_read_as_go_reads_it(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(("text", "duration"), WRITTEN.items())
def test_a_duration_is_written_as_go_writes_it(text: str, duration: timedelta) -> None:
    assert render_duration(duration) == text


@pytest.mark.parametrize("text", [*REFUSED, "١s", "1s\n", "9" * 1_000 + "s"])
def test_what_is_no_duration_is_refused_with_a_model(text: str) -> None:
    with pytest.raises(UserError, match="is not a duration; write numbers with units"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["2562048h", "9223372036.854775808s", "-2562048h"])
def test_more_than_go_can_hold_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="longer than 292 years"):
        parse_duration(text)


@given(st.timedeltas(-LONGEST, LONGEST))
def test_every_duration_comes_back_from_its_text(duration: timedelta) -> None:
    assert parse_duration(render_duration(duration)) == duration
