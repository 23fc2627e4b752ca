"""Metrics found by their names alone, and names that are only similar."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.extractor import Extractor, extraction_spec

KATIB_DEFAULT = re.compile(rb"([\w|-]+)\s*=\s*([+-]?\d*(\.\d+)?([Ee][+-]?\d+)?)")


def points(text: str, *metrics: str) -> list[tuple[str, str]]:
    extractor = Extractor(extraction_spec(metrics))
    return [(p.name, p.value) for p in extractor.feed(text.encode()) + extractor.finish()]


@pytest.mark.parametrize(
    "text",
    [
        "loss=0.3", "loss = 0.3", "loss: 0.3", "loss:0.3", "'loss': 0.3", '"loss":0.3', r"{\"loss\":0.3}",
        "loss\t=\t0.3", "[loss]=0.3", "(loss): 0.3", "**loss**: 0.3", "loss := 0.3", "loss => 0.3", "loss -> 0.3",
        "loss | 0.3", "│ loss │ 0.3 │", "loss 0.3", "loss=[0.3]", "loss=tensor(0.3)", "loss: np.float64(0.3)",
        "loss: '0.3'", "loss=tensor([0.3])", "INFO:root:loss=0.3", "...loss=0.3", "x,loss=0.3,y", "?loss=0.3&b=1",
        "a|loss=0.3|b", "\x1b[3mloss\x1b[0m\x1b[2m=\x1b[0m0.3", "loss=0.3.", "loss=0.3%", "→loss=0.3", "é loss=0.3",
    ],
)  # fmt: skip
def test_these_lines_give_a_loss_of_three_tenths(text: str) -> None:
    assert points(text, "loss") == [("loss", "0.3")]


@pytest.mark.parametrize(
    "text",
    [
        "val_loss=0.3", "val-loss=0.3", "val/loss=0.3", "val.loss=0.3", "--loss=0.3", "loss_sum=0.3", "loss/val=0.3",
        "loss-a=0.3", "Loss=0.3", "lossy=0.3", "loss==0.3", "loss=", "loss=high", "loss\n=0.3", "loss=\n0.3",
        "loss: 10%|███", "loss=0:12", "loss 3 times", "the loss 5", "x@[loss=0.5]", "loss=v1.2.3", "loss=1.2.3",
    ],
)  # fmt: skip
def test_these_lines_give_no_loss(text: str) -> None:
    assert points(text, "loss") == []


def test_a_name_with_punctuation_is_found_as_it_is_printed() -> None:
    assert points("mAP@[IoU=0.5]=0.7", "mAP@[IoU=0.5]") == [("mAP@[IoU=0.5]", "0.7")]
    assert points("valid_1's auc: 0.9", "valid_1's auc") == [("valid_1's auc", "0.9")]
    assert points("val/loss=0.3 loss=0.2", "val/loss") == [("val/loss", "0.3")]


def test_of_two_names_one_inside_the_other_the_outer_one_counts() -> None:
    found = points("mAP@[IoU=0.5]=0.7", "IoU", "mAP@[IoU=0.5]", "0.5")
    assert found == [("mAP@[IoU=0.5]", "0.7")]


def test_the_points_of_a_line_come_in_its_order() -> None:
    assert points("b=1 a=2 b=3", "a", "b") == [("b", "1"), ("a", "2"), ("b", "3")]


def test_a_name_without_a_number_is_counted() -> None:
    extractor = Extractor(extraction_spec(["loss"]))
    extractor.feed(b"loss=\nloss: high\nloss=0.5\n")
    assert (extractor.counters.without_number, extractor.counters.points) == (2, 1)


def test_nan_is_a_point_and_is_counted_as_not_finite() -> None:
    extractor = Extractor(extraction_spec(["loss"]))
    found = extractor.feed(b"loss=0.5\nloss=nan\nloss=inf\n")
    assert [point.value for point in found] == ["0.5", "nan", "inf"]
    assert extractor.counters.not_finite == 2


words = st.lists(
    st.sampled_from(
        ["loss", "acc", "val_loss", "=", "= ", " = ", "0.5", "-3", "1e-5", ".98", " ", ",", ";", "(", ")", "[", '"',
         "status", "epoch", "\t", "12"]
    ),
    max_size=16,
).map("".join)  # fmt: skip


@given(text=words)
def test_what_katibs_default_pattern_rightly_finds_is_found(text: str) -> None:
    """Rightly: a whole number that nothing is joined to, of a name that is not doubly assigned."""
    right = []
    for match in KATIB_DEFAULT.finditer(text.encode()):
        behind = text[match.end() : match.end() + 1]
        value = match[2].decode()
        if value not in ("", "-", "+") and behind in ("", " ", ")", ";", "]", "\t"):
            right.append((match[1].decode(), value))
    found = points(text, "loss", "acc", "val_loss")
    assert [pair for pair in right if pair[0] in ("loss", "acc", "val_loss")] == [
        pair for pair in found if pair in right
    ]
