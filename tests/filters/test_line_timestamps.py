"""`head_stamp` has its own fast pattern: it must accept the same stamps as `api.timestamps`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.timestamps import is_rfc3339
from filters.line_timestamps import head_stamp

_YEARS = st.sampled_from(["0000", "0001", "0002", "1900", "2024", "2026", "9998", "9999"])
_TWO_DIGITS = st.integers(0, 62).map(lambda number: f"{number:02d}")
_ZONES = st.one_of(st.just("Z"), st.from_regex(r"[+-][0-2][0-9]:[0-6][0-9]", fullmatch=True))
_FRACTIONS = st.from_regex(r"(\.[0-9]{0,12})?", fullmatch=True)


@st.composite
def _almost_stamps(draw: st.DrawFn) -> str:
    month = f"{draw(st.integers(0, 13)):02d}"
    day = f"{draw(st.integers(0, 32)):02d}"
    date = f"{draw(_YEARS)}-{month}-{day}"
    time = ":".join(draw(_TWO_DIGITS) for _ in range(3))
    return f"{date}T{draw(st.one_of(st.just('12:00:00'), st.just(time)))}" + draw(
        _FRACTIONS.flatmap(lambda fraction: _ZONES.map(lambda zone: fraction + zone))
    )


@given(_almost_stamps())
def test_a_line_has_a_time_stamp_exactly_when_its_first_token_is_one(token: str) -> None:
    expected = token if is_rfc3339(token) else None

    assert head_stamp(f"{token} loss=1".encode(), 0) == expected
