"""The fields and metadata of requests: what is accepted, and how a wrong value is refused."""

from __future__ import annotations

import pytest

from api.errors import UserError
from api.v1beta1 import api_pb2 as pb
from dbmanager.service.requests import CallMetadata, read_bounds, read_metadata, read_trial_name
from dbmanager.store.contract import AttemptOutcome, Delivery

STAMP = "2026-01-31T12:00:00.5Z"
GOOD = pb.MetricLog(time_stamp=STAMP, metric=pb.Metric(name="loss", value="0.3"))


@pytest.mark.parametrize("name", ["", "x" * 256, "a\0b"])
def test_a_trial_name_that_cannot_be_stored_is_refused(name: str) -> None:
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


def test_all_metadata_is_read() -> None:
    pairs = [
        ("trialwatch-namespace", "team-a"),
        ("trialwatch-source", "pod-1/2"),
        ("trialwatch-seq", "17"),
        ("trialwatch-outcome", "stopped"),
        ("trialwatch-max-reply", "100000000"),
    ]

    assert read_metadata(pairs) == CallMetadata(
        namespace="team-a",
        delivery=Delivery(source="pod-1/2", sequence=17, outcome=AttemptOutcome.STOPPED),
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
        ([("trialwatch-source", "a"), ("trialwatch-seq", "0")], 'trialwatch-seq: "0" is not a whole number from 1'),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "-1")], 'trialwatch-seq: "-1"'),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "1.0")], 'trialwatch-seq: "1.0"'),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "٣")], "is not a whole number from 1"),
        ([("trialwatch-source", "a"), ("trialwatch-seq", str(2**63))], "is not a whole number from 1"),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "9" * 5000)], "is not a whole number from 1"),
        ([("trialwatch-source", "a"), ("trialwatch-seq", "1"), ("trialwatch-outcome", "won")], 'trialwatch-outcome: "won" is unknown; write one of succeeded, failed, stopped'),
        ([("trialwatch-namespace", "a"), ("trialwatch-namespace", "a")], "trialwatch-namespace: given twice"),
        ([("trialwatch-namespace", "n" * 256)], "256 characters"),
        ([("trialwatch-max-reply", "4MiB")], 'trialwatch-max-reply: "4MiB"'),
    ],
)  # fmt: skip
def test_wrong_metadata_is_refused(pairs: list[tuple[str, str | bytes]], words: str) -> None:
    with pytest.raises(UserError) as refused:
        read_metadata(pairs)

    assert str(refused.value).startswith("metadata trialwatch-")
    assert words in str(refused.value)
