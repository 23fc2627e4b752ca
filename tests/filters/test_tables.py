"""Tables: names once in a header, above columns of numbers."""

from __future__ import annotations

import pytest

from filters.extractor import Extractor, extraction_spec

FASTAI = """\
epoch     train_loss  valid_loss  accuracy  time
0         0.155134    0.091220    0.970000  00:12
1         0.100000    nan         0.980000  00:11
"""
ULTRALYTICS = """\
      Epoch    GPU_mem   box_loss   cls_loss  Instances       Size
        1/3      2.78G      1.162      2.456        104        640: 100%|███| 8/8 [00:01<00:00]
                 Class     Images  Instances      Box(P          R      mAP50  mAP50-95): 100%|███| 4/4
                   all        128        929       0.64      0.537      0.605      0.446
"""


def points(text: str, *metrics: str) -> list[tuple[int, str, str]]:
    extractor = Extractor(extraction_spec(metrics))
    found = extractor.feed(text.encode()) + extractor.finish()
    return [(point.line, point.name, point.value) for point in found]


def test_each_row_gives_the_columns_of_the_metrics() -> None:
    assert points(FASTAI, "accuracy", "valid_loss") == [
        (2, "valid_loss", "0.091220"),
        (2, "accuracy", "0.970000"),
        (3, "valid_loss", "nan"),
        (3, "accuracy", "0.980000"),
    ]


def test_a_second_header_replaces_the_first() -> None:
    assert points(ULTRALYTICS, "box_loss", "mAP50", "mAP50-95") == [
        (2, "box_loss", "1.162"),
        (4, "mAP50", "0.605"),
        (4, "mAP50-95", "0.446"),
    ]


@pytest.mark.parametrize(
    "bar",
    [
        "100% ━━━━━━━━━━━━ 4/4 7.0it/s 0.6s",
        "100%|██████████| 4/4 [00:00<00:00,  7.02it/s]",
        "25%|██▌       | 1/4 [00:00<00:02,  1.20it/s]",
        " 50% ━━━━━━╸━━━━━ 2/4",
    ],
)
def test_a_progress_bar_in_a_header_is_neither_a_value_nor_a_column(bar: str) -> None:
    header = ULTRALYTICS.splitlines()[2].split("100%")[0]
    row = ULTRALYTICS.splitlines()[3]
    found = points(f"{header}{bar}\n{row}\n", "mAP50", "mAP50-95")
    assert found == [(2, "mAP50", "0.605"), (2, "mAP50-95", "0.446")]


def test_a_row_of_one_class_is_not_the_metric_of_all() -> None:
    text = (
        ULTRALYTICS
        + "                person        128        254       0.80      0.677      0.764      0.538\n"
    )
    assert [value for _, _, value in points(text, "mAP50")] == ["0.605"]


def test_rows_that_a_narrow_terminal_cuts_have_their_first_columns() -> None:
    header, row, _, all_classes = ULTRALYTICS.splitlines()
    text = f"{header}\n{row[:36]}   …: 50% ━━━━━━────── 1/2 2.8it/s\n       Class     Images  Instances    …: 100% ━━━━ 1/1\n{all_classes}\n"
    assert points(text, "box_loss", "cls_loss") == [(2, "box_loss", "1.162")]


def test_another_header_of_the_same_width_ends_a_table() -> None:
    header, row, other, all_classes = ULTRALYTICS.splitlines()
    text = f"{header}   More\n{row[: row.index(':')]}     1\n{other}\n{all_classes}\n"
    assert points(text, "box_loss") == [(2, "box_loss", "1.162")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "| epoch | loss | acc |\n|------:|-----:|:---:|\n| 1     | 0.5  | 0.9 |\n| 2     | **0.4** | 0.95 |\n",
            [(3, "loss", "0.5"), (3, "acc", "0.9"), (4, "loss", "0.4"), (4, "acc", "0.95")],
        ),
        (
            "┃ epoch ┃ loss ┃ acc ┃\n┡━━━━━━━╇━━━━━━╇━━━━━┩\n│ 1     │ 0.5  │ 0.9 │\n",
            [(3, "loss", "0.5"), (3, "acc", "0.9")],
        ),
        ("epoch,loss,acc\n0,0.5,0.9\n\n1,0.4,\n", [(2, "loss", "0.5"), (2, "acc", "0.9"), (4, "loss", "0.4")]),
        ('"epoch", "loss"\n1, 0.5\n', [(2, "loss", "0.5")]),
        (
            "[11/23 10:00:00 d2]: copypaste: loss,acc,AP\n[11/23 10:00:09 d2]: copypaste: 38.1,59.2,41.0\n",
            [(2, "loss", "38.1"), (2, "acc", "59.2")],
        ),
        ("     loss  Rsquared       acc \n0.5412345 0.8812345 0.4312345 \n", [(2, "loss", "0.5412345"), (2, "acc", "0.4312345")]),
        (" loss \n0.963 \n", [(2, "loss", "0.963")]),
        ("   epoch  loss   acc\n0      0  0.50  0.30\n1      1  0.40  0.35\n", [(2, "loss", "0.50"), (2, "acc", "0.30"), (3, "loss", "0.40"), (3, "acc", "0.35")]),
        ("    after   loss   acc\n0  1 days  0.427  0.75\n", [(2, "loss", "0.427"), (2, "acc", "0.75")]),
        ("$loss\n[1] 0.25\n\n$acc\n[1] 0.875\n", [(2, "loss", "0.25"), (5, "acc", "0.875")]),
        ("     |   Out-of-bag |\nTree |   loss    acc |\n  10 |  8.842  25.13 |\n", [(3, "loss", "8.842"), (3, "acc", "25.13")]),
        ("Iter   loss    ||dx||   acc  Notes \n  10   12.5   0.01231  0.75         \n", [(2, "loss", "12.5"), (2, "acc", "0.75")]),
        ("epoch loss acc\n1 0.5 0.9\n2 0.4 0.8\n", [(2, "loss", "0.5"), (2, "acc", "0.9"), (3, "loss", "0.4"), (3, "acc", "0.8")]),
    ],
)  # fmt: skip
def test_tables_of_other_forms(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert points(text, "loss", "acc") == expected


@pytest.mark.parametrize(
    "text",
    [
        "              loss    recall       acc   support\n\n           0       0.95      0.93      0.94       100\n",
        "| set | loss | acc |\n|---|---|---|\n| train | 0.5 | 0.9 |\n| val | 0.6 | 0.8 |\n",
        "epoch,set,loss\n1,train,0.5\n1,val,0.6\n",
        "model,loss\nforest,0.5\n",
        "| loss | 0.5 | 0.6 |\n",
        "|task|version|loss|\n|---|---|---|\n|a    |1|0.5|\n|     |1|0.6|\n",
        "epoch  loss  loss  size\n0  0.5  0.6  3\n",
        "the loss and acc\ncomputed at last\n0.1 0.2 0.3 0.4\n",
        "loss\n0.5\n",
        "training done, loss\n1,2\n",
    ],
)
def test_what_only_looks_like_a_table_gives_nothing(text: str) -> None:
    assert points(text, "loss", "acc") == []


def test_a_shorter_vector_of_other_names_ends_a_long_one() -> None:
    text = "   loss     acc  lower  upper \n 0.8000  0.5454 0.2835 0.9949 \n   null   other \n 0.7372  1.0000 \n"
    assert points(text, "loss", "acc") == [(2, "loss", "0.8000"), (2, "acc", "0.5454")]


def test_a_vector_of_other_names_is_not_a_row_of_the_vector_before() -> None:
    text = "loss  acc \n0.50 0.90 \nsens spec \n0.10 0.20 \n"
    assert points(text, "loss", "acc") == [(2, "loss", "0.50"), (2, "acc", "0.90")]


SB3 = """\
----------------------------------
| rollout/            |          |
|    ep_len_mean      | 25.3     |
|    ep_rew_mean      | 31.2     |
| time/               |          |
|    fps              | 1,200    |
| train/              |          |
|    loss             | 0.25     |
----------------------------------
"""


def test_a_metric_is_found_by_its_section_and_key() -> None:
    assert points(SB3, "rollout/ep_rew_mean", "train/loss", "time/fps") == [
        (4, "rollout/ep_rew_mean", "31.2"),
        (6, "time/fps", "1200"),
        (8, "train/loss", "0.25"),
    ]
    assert points(SB3, "ep_rew_mean") == [(4, "ep_rew_mean", "31.2")]
    assert points(SB3, "eval/ep_rew_mean", "rollout/fps", "rollout/loss") == []


def test_progress_bars_between_header_and_row_do_no_harm() -> None:
    header, row, _ = FASTAI.splitlines()
    bars = "".join(f"\repoch 0: {percent}%|██    | [00:01<00:05]" for percent in range(100))
    assert points(f"{header}\n{bars}\n{row}\n", "accuracy") == [(103, "accuracy", "0.970000")]


def test_prose_that_names_a_metric_is_not_a_header() -> None:
    assert (
        points("computing the loss and accuracy\nEpoch 3 done in 5 s\n", "loss", "accuracy") == []
    )


def test_a_named_value_is_found_beside_a_table() -> None:
    found = points(FASTAI + "final accuracy=0.99\n", "accuracy")
    assert [value for _, _, value in found] == ["0.970000", "0.980000", "0.99"]


def test_a_header_does_not_count_as_a_name_without_a_number() -> None:
    extractor = Extractor(extraction_spec(["accuracy"]))
    extractor.feed(FASTAI.encode())
    assert extractor.counters.without_number == 0


def test_a_table_closes_after_many_lines_without_a_row() -> None:
    header, row, _ = FASTAI.splitlines()
    assert points(f"{header}\n" + "chatter\n" * 10_001 + row, "accuracy") == []
    assert len(points(f"{header}\n" + "chatter\n" * 9_000 + row, "accuracy")) == 1
