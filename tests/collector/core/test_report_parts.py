"""A batch of any size reaches the store in reports that its server takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.report_limits import LARGEST_MESSAGE, LONGEST_NAME, LONGEST_VALUE, MOST_POINTS
from api.types import MetricPoint
from api.v1beta1 import api_pb2 as pb
from collector.core.batches import Batch
from collector.core.report_parts import parts_of
from dbmanager.service.decoding import read_rows

STAMP = "2026-01-31T12:00:00.123456Z"


def batch(*points: MetricPoint, outcome: str | None = None) -> Batch:
    return Batch(source="pod", sequence=7, points=points, outcome=outcome)


def request(part: Batch) -> pb.ReportObservationLogRequest:
    made = pb.ReportObservationLogRequest(trial_name="t" * LONGEST_NAME)
    for point in part.points:
        log = made.observation_log.metric_logs.add(
            time_stamp=point.timestamp or "", step=point.step
        )
        log.metric.name, log.metric.value = point.name, point.value
    return made


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("a", "1", 300_000),  # a line of a mebibyte, full of `a=1 `
        ("\N{FOX FACE}" * LONGEST_NAME, "\N{FOX FACE}" * LONGEST_VALUE, 1_000),
    ],
    ids=["short", "long"],
)
def test_the_server_takes_each_part_of_a_very_large_batch(
    name: str, value: str, count: int
) -> None:
    points = [MetricPoint(name, value, STAMP)] * count

    parts = parts_of(batch(*points))

    assert [part.sequence for part in parts] == list(range(7, 7 + len(parts)))
    assert sum(len(part.points) for part in parts) == count
    for part in parts:
        made = request(part)
        assert made.ByteSize() < LARGEST_MESSAGE
        assert len(read_rows(made.observation_log)) == len(part.points) <= MOST_POINTS


@given(st.lists(st.integers(0, LONGEST_VALUE + 1), max_size=30), st.sampled_from([None, "failed"]))
def test_a_value_that_no_store_keeps_takes_no_other_point_with_it(
    lengths: list[int], outcome: str | None
) -> None:
    points = [MetricPoint("loss", "1" * length, STAMP) for length in lengths]

    parts = parts_of(batch(*points, outcome=outcome))

    kept = [point for part in parts for point in part.points]
    assert kept == [point for point in points if len(point.value) <= LONGEST_VALUE]
    assert parts[-1].outcome == outcome
