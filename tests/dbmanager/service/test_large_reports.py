"""A report with too many points is refused before it is parsed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.report_limits import LARGEST_MESSAGE, MOST_POINTS
from api.v1beta1 import api_pb2 as pb
from dbmanager.service.large_reports import check_points, points_of
from tests.dbmanager.dbmanager_server import log
from tests.dbmanager.test_hostile_clients import empty_points

POINTS = st.lists(st.tuples(st.text(max_size=200), st.text(max_size=9), st.text(max_size=9)))


@given(st.text(max_size=300), POINTS)
def test_the_points_of_an_encoded_report_are_counted(
    trial: str, points: list[tuple[str, str, str]]
) -> None:
    report = pb.ReportObservationLogRequest(trial_name=trial, observation_log=log(*points))

    assert points_of(report.SerializeToString(), 1000) == len(points)


@given(st.binary(max_size=300))
def test_bytes_that_are_not_a_report_are_left_to_the_parser(data: bytes) -> None:
    check_points(data + b"\xff" * (2 * MOST_POINTS))


def test_points_in_several_logs_are_counted_together() -> None:
    part = pb.ReportObservationLogRequest(observation_log=log(("", "a", "1"), ("", "a", "2")))

    assert points_of(part.SerializeToString() * 3, 1000) == 6
    assert points_of(part.SerializeToString() * 3, 4) == 5


def test_fields_that_no_report_has_hide_no_points() -> None:
    for unknown in (b"\x1b\x1c", b"\x18\x05", b"\x1d1234", b"\x1912345678", b"\x1a\x01x"):
        assert points_of(unknown + empty_points(7), 1000) == 7


def test_the_limit_itself_is_allowed() -> None:
    check_points(empty_points(MOST_POINTS))
    with pytest.raises(UserError, match=f"send at most {MOST_POINTS}"):
        check_points(empty_points(MOST_POINTS + 1))


def test_only_as_many_as_the_limit_are_read() -> None:
    class CountingBytes(bytes):
        reads = 0

        def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - a single byte or a slice
            type(self).reads += 1
            return super().__getitem__(index)

    points_of(CountingBytes(empty_points(LARGEST_MESSAGE // 2 - 8)), 1_000)

    assert CountingBytes.reads < 3_000
