"""Which tags in which directories are a metric."""

from __future__ import annotations

import pytest

from api.errors import UserError
from api.eventfiles.event_pb2 import Event, Summary
from filters.event_files.extractor import event_spec
from filters.extractor import Position
from tests.filters.event_files.event_writer import framed, scalar


def _names(metrics: list[str], directory: str, *tags: str) -> list[str]:
    """Return the metrics that one record with these tags has in a file of the directory."""
    values = [Summary.Value(tag=tag.encode(), simple_value=1) for tag in tags]
    record = framed(Event(summary=Summary(value=values)).SerializeToString())
    extractor = event_spec(metrics, directory).extractor(Position())
    return [point.name for point in extractor.feed(record)]


@pytest.mark.parametrize(
    ("metric", "directory", "tag", "is_found"),
    [
        ("accuracy", "/log", "accuracy", True),
        ("accuracy", "/log/train", "accuracy", True),
        ("acc", "/log", "accuracy", False),  # a prefix is enough for Katib
        ("accuracy", "/log", "acc", False),
        ("train/accuracy", "/log/train", "accuracy", True),
        ("train/accuracy", "/log/run1/train", "accuracy", True),
        ("train/accuracy", "/log/pretrain", "accuracy", True),  # the path ends so, as in Katib
        ("train/accuracy", "/log/test", "accuracy", False),
        ("train/accuracy", "/log/train/1", "accuracy", False),
        ("train/accuracy", "/log", "train/accuracy", True),
        ("train/accuracy", "/log/test", "train/accuracy", True),
        ("eval/loss", "/log/eval", "loss/eval", False),
        ("a/b/loss", "/x/a/b", "loss", True),
        ("a/b/loss", "/x/b", "loss", False),
        ("Loss/µ", "/log", "Loss/µ", True),
    ],
)
def test_a_metric_is_a_tag_by_its_whole_name_or_by_the_directory(
    metric: str, directory: str, tag: str, *, is_found: bool
) -> None:
    assert _names([metric], directory, tag) == ([metric] if is_found else [])


def test_in_one_record_the_tag_with_the_whole_name_comes_first() -> None:
    names = _names(["train/loss", "loss"], "/log/train", "loss", "train/loss")
    assert names == ["loss", "train/loss", "train/loss"]


def test_metrics_of_one_tag_come_in_the_order_given() -> None:
    assert _names(["b/loss", "a/b/loss"], "/a/b", "loss") == ["b/loss", "a/b/loss"]


def test_an_old_tensor_has_its_tag_in_node_name() -> None:
    value = Summary.Value(node_name=b"loss", simple_value=2)
    record = framed(Event(summary=Summary(value=[value])).SerializeToString())
    extractor = event_spec(["loss"]).extractor(Position())
    assert [point.value for point in extractor.feed(record)] == ["2.0"]


def test_a_tag_that_is_not_utf8_does_not_hide_the_other_values() -> None:
    values = [
        Summary.Value(tag=b"\xff", simple_value=1),
        Summary.Value(tag=b"loss", simple_value=2),
    ]
    record = framed(Event(summary=Summary(value=values)).SerializeToString())
    extractor = event_spec(["loss"]).extractor(Position())
    assert [point.value for point in extractor.feed(record)] == ["2.0"]


def test_a_picture_under_the_metrics_tag_is_counted() -> None:
    picture = b"\x0a\x04loss\x22\x02\x08\x01"  # tag, and an Image in field 4
    event = b"\x2a" + bytes([len(picture) + 2]) + b"\x0a" + bytes([len(picture)]) + picture
    extractor = event_spec(["loss"]).extractor(Position())
    assert extractor.feed(framed(event) + scalar("loss", 1))[0].value == "1.0"
    assert extractor.counters.wrong_type == 1


def test_no_metrics_are_refused() -> None:
    with pytest.raises(UserError, match="no metrics given"):
        event_spec([])
