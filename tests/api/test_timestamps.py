from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.errors import UserError
from api.timestamps import FIRST_MICROS, LAST_MICROS, from_micros, is_rfc3339, to_micros

TAKEN = [
    ("1970-01-01T00:00:00Z", 0),
    ("1970-01-01T00:00:00.5Z", 500_000),
    ("1970-01-01T00:00:00.000001999Z", 1),
    ("1969-12-31T23:59:59.9999999Z", -1),
    ("1970-01-01T01:00:00+01:00", 0),
    ("1969-12-31T14:30:00-09:30", 0),
    ("1970-01-01T00:00:00-00:00", 0),
    ("2016-12-31T21:02:05.123456Z", 1_483_218_125_123_456),
    ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
    ("0001-01-01T00:00:00Z", FIRST_MICROS),
    ("9999-12-31T23:59:59.999999999999Z", LAST_MICROS),
    ("1970-01-01T00:00:00." + "0" * 100_000 + "Z", 0),
]
REFUSED = [
    "",
    "now",
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-01-31 12:00:00Z",
    "2026-01-31t12:00:00Z",
    "2026-01-31T12:00:00z",
    "2026-01-31T12:00:00.Z",
    "2026-01-31T12:00:00,5Z",
    "2026-01-31T12:00Z",
    "2026-1-31T12:00:00Z",
    "26-01-31T12:00:00Z",
    "+2026-01-31T12:00:00Z",
    "20260131T120000Z",
    "2026-W05-6T12:00:00Z",
    "2026-01-31T12:00:00+0100",
    "2026-01-31T12:00:00+01",
    "2026-01-31T12:00:00+24:00",
    "2026-01-31T12:00:00+01:60",
    "2026-01-31T12:00:00+01:00:30",
    "2026-01-31T24:00:00Z",
    "2026-01-31T12:60:00Z",
    "2016-12-31T23:59:60Z",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "2026-01-31T12:00:00Z\n",
    " 2026-01-31T12:00:00Z",
    "2026-01-31T12:00:00Z ",
    "2026-01-31T12:00:00\0Z",
    "２０２６-01-31T12:00:00Z",
    "2026-01-31T12:00:00.٣Z",
    "\ud800",
]


@pytest.mark.parametrize(("text", "micros"), TAKEN, ids=lambda value: str(value)[:40])
def test_a_time_stamp_means_a_microsecond_of_utc(text: str, micros: int) -> None:
    assert is_rfc3339(text)
    assert to_micros(text) == micros


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_what_is_no_time_stamp_is_refused_with_the_value_and_a_model(text: str) -> None:
    assert not is_rfc3339(text)
    with pytest.raises(UserError, match="is not an RFC 3339 timestamp; write") as refusal:
        to_micros(text)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (10_000_000, "1970-01-01T00:00:10Z"),
        (500_000, "1970-01-01T00:00:00.5Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (1_483_218_125_123_450, "2016-12-31T21:02:05.12345Z"),
        (FIRST_MICROS, "0001-01-01T00:00:00Z"),
        (LAST_MICROS, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_microsecond_is_written_in_utc_with_no_zeros_at_its_end(micros: int, text: str) -> None:
    assert from_micros(micros) == text


@pytest.mark.parametrize("micros", [FIRST_MICROS - 1, LAST_MICROS + 1, 10**30])
def test_a_microsecond_outside_of_all_years_is_refused_with_its_number(micros: int) -> None:
    with pytest.raises(UserError, match=f"^{micros} microseconds"):
        from_micros(micros)


@given(st.integers(FIRST_MICROS, LAST_MICROS))
def test_every_microsecond_comes_back_from_its_text(micros: int) -> None:
    text = from_micros(micros)

    assert is_rfc3339(text)
    assert to_micros(text) == micros


@given(
    st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001
    st.integers(-1439, 1439),
    st.text("0123456789", max_size=12),
)
def test_offset_and_fraction_mean_what_they_say(when: datetime, minutes: int, more: str) -> None:
    zone = timezone(timedelta(minutes=minutes))
    there = when.replace(tzinfo=UTC).astimezone(zone)
    text = there.isoformat(timespec="microseconds")
    text = f"{text[:26]}{more}{text[26:]}"

    expected = (when - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001
    assert to_micros(text) == expected


@given(st.one_of(st.text(), st.text(string.digits + "T:.-+Z", max_size=40)))
@example("2026-01-31T12:00:00.5+23:59")
def test_any_text_is_either_taken_or_refused(text: str) -> None:
    if is_rfc3339(text):
        assert to_micros(from_micros(to_micros(text))) == to_micros(text)
    else:
        with pytest.raises(UserError):
            to_micros(text)
