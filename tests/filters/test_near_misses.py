"""For a metric that is never found, the user sees similar lines, and which name to use."""

from __future__ import annotations

import pytest

from api.types import LogFormat
from filters.extractor import Extractor, extraction_spec
from filters.near_misses import NearMisses


def nearest(text: str, metric: str, **how: object) -> list[tuple[int, str]]:
    wanted = extraction_spec([metric], **how)  # type: ignore[arg-type]
    near = NearMisses(wanted.metrics, wanted.how)
    extractor = Extractor(wanted, near_misses=near)
    extractor.feed(text.encode())
    extractor.finish()
    return [(miss.line, miss.why) for miss in near.of(metric)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x\nLoss: 0.5", "it is written 'Loss' here"),
        ("x\nval_loss=0.5", "'loss' is only a part of 'val_loss' here"),
        ("x\nloss is low", "no number follows 'loss' here"),
        ("x\nlosses were made", "'loss' is only a part of a word here"),
        ("x\nlost=0.5", "this line has 'lost'"),
        ("x\naccuracy=0.5", "this log prints 'accuracy'"),
    ],
)
def test_the_reason_names_what_the_line_has(text: str, words: str) -> None:
    [(line, why)] = nearest(text, "loss")
    assert line == 2
    assert why.startswith(words)


def test_a_pattern_that_misses_a_plain_value_is_blamed() -> None:
    assert nearest("loss=0.5", "loss", patterns=["(x)(y)"]) == [
        (1, "the metricsFormat does not match here")
    ]


def test_the_format_that_misses_a_plain_value_is_blamed() -> None:
    assert nearest("loss=0.5", "loss", log_format=LogFormat.JSON) == [
        (1, "the JSON reader does not match here")
    ]


def test_the_nearest_come_first_and_are_few() -> None:
    text = "\n".join(f"key{number}=1" for number in range(50)) + "\nLoss=1\nloss: none\n"
    found = nearest(text, "loss")
    assert [why.split(" here")[0] for _, why in found[:2]] == [
        "no number follows 'loss'",
        "it is written 'Loss'",
    ]
    assert len(found) == 3


def test_a_metric_that_is_found_has_no_near_misses() -> None:
    assert nearest("Loss=1\nloss=1\n", "loss") == []
