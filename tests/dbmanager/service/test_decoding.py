"""How the points of a report are read, and how a bad one is refused."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.timestamps import from_micros, to_micros
from api.v1beta1 import api_pb2 as pb
from dbmanager.service.decoding import PIECE, TimestampReader, read_pieces, read_rows
from dbmanager.store.contract import NewRow
from dbmanager.store.finite import LONGEST, number_of, numbers_of

STAMP = "2026-01-31T12:00:00.5Z"
GOOD = pb.MetricLog(time_stamp=STAMP, metric=pb.Metric(name="loss", value="0.3"))


def test_a_report_becomes_rows_in_its_order() -> None:
    log = pb.ObservationLog(
        metric_logs=[
            GOOD,
            pb.MetricLog(
                time_stamp="2026-01-31T13:00:00+01:00", metric=pb.Metric(name="acc", value="")
            ),
            pb.MetricLog(
                time_stamp="0001-01-01T00:00:00Z",
                metric=pb.Metric(name="loss", value="unavailable"),
            ),
        ]
    )

    assert [*read_rows(log)] == [
        NewRow(to_micros(STAMP), "loss", "0.3"),
        NewRow(to_micros("2026-01-31T12:00:00Z"), "acc", ""),
        NewRow(to_micros("0001-01-01T00:00:00Z"), "loss", "unavailable"),
    ]


def test_steps_stay_with_their_points_where_points_without_a_time_are_left_out() -> None:
    metric = pb.Metric(name="loss", value="1")
    log = pb.ObservationLog(
        metric_logs=[
            pb.MetricLog(time_stamp=STAMP, metric=metric, step=0),
            pb.MetricLog(metric=metric, step=1),
            pb.MetricLog(time_stamp=STAMP, metric=metric),
            pb.MetricLog(time_stamp=STAMP, metric=metric, step=2**63 - 1),
        ]
    )

    steps = [row.step for row in read_rows(log, skip_timeless=True)]
    assert steps == [0, None, 2**63 - 1]


def test_a_log_without_entries_is_no_rows() -> None:
    assert len(read_rows(pb.ObservationLog())) == 0


@pytest.mark.parametrize(
    ("entry", "field", "words"),
    [
        (pb.MetricLog(time_stamp=STAMP), "metric", "missing"),
        (pb.MetricLog(time_stamp=STAMP, metric=pb.Metric(value="1")), "metric.name", "missing"),
        (pb.MetricLog(time_stamp=STAMP, metric=pb.Metric(name="x" * 256)), "metric.name", "256 characters"),
        (pb.MetricLog(time_stamp=STAMP, metric=pb.Metric(name="a\0b")), "metric.name", "NUL"),
        (pb.MetricLog(time_stamp=STAMP, metric=pb.Metric(name="a", value="1\0")), "metric.value", '"1\\x00"'),
        (pb.MetricLog(metric=pb.Metric(name="loss")), "time_stamp", 'metric "loss"'),
        (pb.MetricLog(time_stamp="noon", metric=pb.Metric(name="a")), "time_stamp", '"noon"'),
        (pb.MetricLog(time_stamp=STAMP, metric=pb.Metric(name="a"), step=-1), "step", "-1 is negative"),
        (pb.MetricLog(time_stamp="2026-01-31T12:00:00.5z", metric=pb.Metric(name="a")), "time_stamp", "RFC 3339"),
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused_with_its_place_its_field_and_its_value(
    entry: pb.MetricLog, field: str, words: str
) -> None:
    log = pb.ObservationLog(metric_logs=[GOOD, GOOD, GOOD, entry, GOOD])

    with pytest.raises(UserError) as refused:
        read_rows(log)

    assert str(refused.value).startswith(f"observation_log.metric_logs[3].{field}: ")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "timeless",
    [
        pb.MetricLog(metric=pb.Metric(name="loss", value="1")),
        pb.MetricLog(metric=pb.Metric(name="x" * 256, value="1\0")),
        pb.MetricLog(),
    ],
    ids=["a good point", "a bad point", "without a metric"],
)
def test_entries_without_a_time_are_skipped_where_the_caller_wants_it(
    timeless: pb.MetricLog,
) -> None:
    log = pb.ObservationLog(metric_logs=[timeless, GOOD, timeless, timeless, GOOD])

    rows = read_rows(log, skip_timeless=True)

    assert [*rows] == [NewRow(to_micros(STAMP), "loss", "0.3")] * 2
    log.metric_logs.append(pb.MetricLog(time_stamp="noon", metric=pb.Metric(name="a")))
    with pytest.raises(UserError, match=r"metric_logs\[5\]\.time_stamp"):
        read_rows(log, skip_timeless=True)


def test_a_log_without_any_time_has_no_rows_where_the_caller_wants_it() -> None:
    log = pb.ObservationLog(metric_logs=[pb.MetricLog(metric=pb.Metric(name="a"))] * (PIECE + 1))
    assert len(read_rows(log, skip_timeless=True)) == 0


def test_a_report_is_read_in_pieces_and_its_bad_entry_counted_over_all_of_them() -> None:
    log = pb.ObservationLog(metric_logs=[GOOD] * (2 * PIECE + 1))
    assert [len(piece) for piece in read_pieces(log)] == [PIECE, PIECE, 1]

    log.metric_logs[PIECE + 7].time_stamp = "noon"
    with pytest.raises(UserError, match=rf"metric_logs\[{PIECE + 7}\]\.time_stamp"):
        read_rows(log)


_FRACTIONS = st.text("0123456789", min_size=1, max_size=10)
_GOOD_STAMPS = st.one_of(
    st.builds(from_micros, st.integers(-(10**15), 10**15)),
    st.builds("2026-01-31T12:00:00.{}Z".format, _FRACTIONS),
    st.builds("2026-01-31T12:00:0{}Z".format, st.integers(0, 9)),
)
_OFFSETS = st.builds(
    "2026-01-31T12:00:00{}{}".format,
    st.sampled_from(["", ".25"]),
    st.sampled_from(["Z", "+01:00", "-23:59"]),
)
_CLOSE_TO_STAMPS = st.one_of(
    _GOOD_STAMPS,
    _OFFSETS,
    st.builds("2026-01-31T12:00:0{}".format, st.text("0123456789.Z+-:", max_size=9)),
    st.builds("2026-01-31T12:00:00{}Z".format, st.text(".Z0", max_size=4)),
    st.builds("{}T00:00:00+01:00".format, st.sampled_from(["0001-01-01", "9999-12-31"])),
    st.text(max_size=30),
    st.just("2026-01-31T12:00:00.٣Z"),
)


@given(
    st.one_of(
        st.lists(_GOOD_STAMPS),
        st.lists(st.one_of(_GOOD_STAMPS, _OFFSETS)),
        st.builds(
            lambda *lists: [*chain(*lists)],
            st.lists(_GOOD_STAMPS),
            st.lists(_CLOSE_TO_STAMPS, max_size=2),
        ),
    )
)
def test_the_reader_of_many_time_stamps_agrees_with_to_micros(texts: list[str]) -> None:
    stamp_reader = TimestampReader()
    for _ in range(2):  # the second time reads from the cache
        try:
            expected: list[int] | None = [to_micros(text) for text in texts]
        except UserError:
            expected = None
        try:
            found: list[int] | None = stamp_reader.micros(texts)
        except UserError:
            found = None
        assert found == expected


_NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.text("0123456789.eE+-_ ", max_size=8),
    st.sampled_from(["inf", "nan", "1e999", "0" * LONGEST, "0" * (LONGEST + 1), "1_0", "٣", ""]),
)


@given(
    st.one_of(
        st.lists(st.floats(allow_nan=False, allow_infinity=False).map(repr)), st.lists(_NUMBERS)
    )
)
def test_the_numbers_of_many_texts_equal_the_numbers_of_each_text(texts: list[str]) -> None:
    assert [repr(number) for number in numbers_of(texts)] == [
        repr(number_of(text)) for text in texts
    ]
