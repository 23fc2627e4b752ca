"""Metrics found by their names alone, and names that are only similar."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters import name_matcher
from filters.extractor import Extractor, extraction_spec
from filters.name_matcher import NameMatcher, all_forms

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
        "loss is 0.3", "loss was: 0.3", "loss tensor(0.3)", "loss : num 0.3", "the loss is now 0.3", "loss 0.3, acc 0.9", "loss 0.3.", "final loss 0.3 after",
        "loss [np.float32(0.3), np.float32(0.4)]", "loss [0.3, 0.4]",
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
        "loss: 10%|███", "loss: 100% ━━━━ 10/10", "loss: 3/10", "loss>=0.5", "loss*=0.5", "loss: 0.5 -> 0.3",
        "loss 0.3 0.4", "loss is 0.3 lower", "loss is 3 times", "{loss:.4f}", "{loss:8.4f}", "val loss: 0.3", "test loss 0.3",
        "best loss: 0.3", "Avg loss: 0.3", "mean loss: 0.3", "training's loss: 0.3", "loss improved from inf to 0.3", "loss did not improve from 0.3",
        "loss: 5it [00:01, 9.5it/s]", "ckpt/loss=0.3-v1.ckpt", "loss [0.3:0.9]", "loss: 3 out of 5", "@[ loss=0.5", "loss | 0.3 | 0.4", "loss=0:12", "loss 3 times", "the loss 5", "x@[loss=0.5]", "loss=v1.2.3", "loss=1.2.3",
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


def test_a_progress_bar_is_no_value_and_a_percentage_is_one() -> None:
    assert points("accuracy: 100% ━━━━ 10/10\naccuracy: 93%\naccuracy is 94%\n", "accuracy") == [
        ("accuracy", "93"),
        ("accuracy", "94"),
    ]


def test_the_percentage_beside_a_fraction_is_the_value() -> None:
    assert points("Accuracy: 9836/10000 (98%), loss: 0.1", "Accuracy") == [("Accuracy", "98")]


def test_words_before_a_name_make_it_another_metric() -> None:
    line = "step 0: train loss 4.2874, val loss 4.2823"
    assert points(line, "train loss", "val loss", "loss") == [
        ("train loss", "4.2874"),
        ("val loss", "4.2823"),
    ]
    assert points("R-squared: 0.8\nAdj. R-squared: 0.7\n", "R-squared") == [("R-squared", "0.8")]


def test_a_name_that_ends_in_mean_is_the_mean_of_a_list() -> None:
    text = "Pseudo dice [np.float32(0.81), np.float32(0.75)]\n"
    assert points(text, "Pseudo dice", "Pseudo dice[mean]") == [
        ("Pseudo dice", "0.81"),
        ("Pseudo dice[mean]", "0.78"),
    ]
    assert points("dice: [0.5 0.25]\ndice=[0.5, high]\ndice [\n", "dice[mean]") == [
        ("dice[mean]", "0.375")
    ]
    assert points("dice[mean]=0.5 [0.1]", "dice[mean]") == [("dice[mean]", "0.5")]


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


# -- the quick ways, which skip most of the work -----------------------------------------------

NAMES = ("loss", "val_loss", "a.b[0]")
ALL_FORMS = {
    name: re.compile(re.escape(name.encode()) + all_forms(re.escape(name.encode())))
    for name in NAMES
}
pieces = st.lists(
    st.sampled_from(
        [*NAMES, *"=:,;|-.'\"()[]{}_@5 \n\t", ": ", "=0.5", "0.25 ", "-1.5", "e-3", " - ", "->", "val ", "3 ", "_1 ", "avg. ",
         "/10", "%", "%|", "k", "of", "to", "it["]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(text=pieces)
def test_the_usual_forms_have_the_number_that_all_forms_have(text: str) -> None:
    for name, pattern in ALL_FORMS.items():
        slowly = [
            (m.start(), -m.end(), name, m[m.lastindex].decode() if m.lastindex else "")
            for m in pattern.finditer(text.encode())
        ]
        assert NameMatcher([name]).mentions(text.encode()) == [
            (*place, number.replace(",", "").replace("_", "")) for *place, number in slowly
        ]


@pytest.mark.parametrize(
    "text",
    [
        "step 3 loss=0.5 acc=0.9\n", "Epoch 3/10 - loss: 0.5 - acc: 0.9\n", "{'step': 1, 'loss': 0.5, 'acc': 0.9}\n",
        '{"step": 1, "loss":0.5}\n', "[1] loss: -0.5 | acc: 0.9\n", "a=1, loss = 0.5;\n", "on 8 (loss=0.5)\n",
        "epoch 1\nloss: 0.5\n", "loss 0.5\nloss=0.5\n",
    ],
)  # fmt: skip
def test_the_usual_forms_take_the_short_way(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All other forms come through `_number`; a log of the usual ones never does."""
    long_way: list[object] = []

    def number(match: object) -> str:
        long_way.append(match)
        return ""

    monkeypatch.setattr(name_matcher, "_number", number)
    mentions = NameMatcher(["loss"]).mentions(text.encode())
    assert [number for *_, number in mentions if number] != []
    assert len(long_way) == text.count("loss 0.5")


def test_a_text_without_the_rarest_byte_of_a_name_is_not_searched_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[bytes] = []

    class Pattern:
        def __init__(self, source: bytes) -> None:
            self.source = source

        def finditer(self, _text: bytes) -> list[object]:
            searched.append(self.source)
            return []

    monkeypatch.setattr(name_matcher, "_pattern", Pattern)
    matcher = NameMatcher(["loss", "val_loss", "eval/f1", "top5", "XYZ"])
    matcher.mentions(b"2026-11-23T10:00:00Z INFO step 5: all files, loss=0.5\n")
    assert searched == [b"loss", b"top5"]
