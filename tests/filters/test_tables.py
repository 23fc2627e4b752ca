"""Tables: names once in a header, above columns of numbers."""

from __future__ import annotations

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
