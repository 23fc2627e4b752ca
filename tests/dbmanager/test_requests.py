"""What a report's entries and a call's metadata may be, and how a bad one is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import UserError
from api.timestamps import from_micros, to_micros
from api.v1beta1 import api_pb2 as pb
from dbmanager.requests import (
    CallMetadata,
    Moments,
    read_bounds,
    read_metadata,
    read_rows,
    read_trial_name,
)
from dbmanager.store import Delivery, NewRow, Outcome

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

    assert read_rows(log) == [
        NewRow(to_micros(STAMP), "loss", "0.3"),
        NewRow(to_micros("2026-01-31T12:00:00Z"), "acc", ""),
        NewRow(to_micros("0001-01-01T00:00:00Z"), "loss", "unavailable"),
    ]


def test_a_log_without_entries_is_no_rows() -> None:
    assert read_rows(pb.ObservationLog()) == []


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


_FRACTIONS = st.text("0123456789", max_size=10)
_CLOSE_TO_STAMPS = st.one_of(
    st.builds(from_micros, st.integers(-(10**15), 10**15)),
    st.builds("2026-01-31T12:00:00.{}Z".format, _FRACTIONS),
    st.builds("2026-01-31T12:00:0{}".format, st.text("0123456789.Z+-:", max_size=9)),
    st.text(max_size=30),
    st.just("2026-01-31T12:00:00.٣Z"),
)


@given(st.lists(_CLOSE_TO_STAMPS))
def test_moments_are_those_of_to_micros_whatever_came_before(texts: list[str]) -> None:
    moments = Moments()

    for text in ["2026-01-31T12:00:00Z", *texts]:
        try:
            expected: int | None = to_micros(text)
        except UserError:
            expected = None
        assert moments.micros(text) == expected, text


@pytest.mark.parametrize("name", ["", "x" * 256, "a\0b"])
def test_a_trial_name_that_cannot_be_kept_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"^trial_name: "):
        read_trial_name(name)


def test_a_name_of_255_characters_is_kept_whatever_its_bytes() -> None:
    assert read_trial_name("ü" * 255) == "ü" * 255


def test_empty_texts_do_not_filter() -> None:
    bounds = read_bounds(("",))

    assert (bounds.metrics, bounds.from_micros, bounds.to_micros) == ((), None, None)


@pytest.mark.parametrize(
    ("name", "start", "end", "field"),
    [
        ("x" * 256, "", "", "metric_name"),
        ("", "yesterday", "", "start_time"),
        ("", STAMP, "tomorrow", "end_time"),
    ],
)
def test_bad_bounds_are_refused_by_name(name: str, start: str, end: str, field: str) -> None:
    with pytest.raises(UserError, match=rf"^{field}: "):
        read_bounds((name,), start, end)


def test_metadata_of_others_is_passed_over() -> None:
    pairs: list[tuple[str, str | bytes]] = [
        ("user-agent", "grpc"),
        ("x-trace-bin", b"\xff"),
        ("x", "1"),
        ("x", "2"),
    ]

    assert read_metadata(pairs) == CallMetadata()


def test_all_metadata_of_ours_is_read() -> None:
    pairs = [
        ("trialwatch-namespace", "team-a"),
        ("trialwatch-source", "pod-1/2"),
        ("trialwatch-seq", "17"),
        ("trialwatch-outcome", "stopped"),
        ("trialwatch-max-reply", "100000000"),
    ]

    assert read_metadata(pairs) == CallMetadata(
        namespace="team-a",
        delivery=Delivery(source="pod-1/2", sequence=17, outcome=Outcome.STOPPED),
        max_reply=100_000_000,
    )


def test_the_empty_namespace_can_be_asked_for() -> None:
    assert read_metadata([("trialwatch-namespace", "")]).namespace == ""


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("trialwatch-sequence", "1")], 'trialwatch-sequence: unknown; did you mean "trialwatch-seq"'),
        ([("trialwatch-zzz", "1")], "trialwatch-zzz: unknown; known are trialwatch-namespace"),
        ([("trialwatch-source-bin", b"\0")], "trialwatch-source-bin: unknown"),
        ([("trialwatch-seq", "1")], 'trialwatch-seq: "1" without trialwatch-source'),
        ([("trialwatch-outcome", "failed")], 'trialwatch-outcome: "failed" without trialwatch-source'),
        ([("trialwatch-source", "a")], 'trialwatch-source: "a" without trialwatch-seq'),
        ([("trialwatch-source", ""), ("trialwatch-seq", "1")], "trialwatch-source: missing"),
        ([("trialwatch-source", "a" * 256), ("trialwatch-seq", "1")], "256 characters"),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "0")], 'trialwatch-seq: "0" is no number from 1'),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "-1")], 'trialwatch-seq: "-1"'),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "1.0")], 'trialwatch-seq: "1.0"'),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "٣")], "is no number from 1"),
        ([("trialwatch-source", "a"), ("trialwatch-seq", str(2**63))], "is no number from 1"),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "9" * 5000)], "is no number from 1"),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "1"), ("trialwatch-outcome", "won")], 'trialwatch-outcome: "won" is unknown; write one of succeeded, failed, stopped'),
        ([("trialwatch-namespace", "a"), ("trialwatch-namespace", "a")], "trialwatch-namespace: given twice"),
        ([("trialwatch-namespace", "n" * 256)], "256 characters"),
        ([("trialwatch-max-reply", "4MiB")], 'trialwatch-max-reply: "4MiB"'),
    ],
)  # fmt: skip
def test_metadata_that_means_nothing_is_refused(
    pairs: list[tuple[str, str | bytes]], words: str
) -> None:
    with pytest.raises(UserError) as refused:
        read_metadata(pairs)

    assert str(refused.value).startswith("metadata trialwatch-")
    assert words in str(refused.value)
