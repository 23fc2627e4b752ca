"""fairseq's lines: the logger says whether a metric is of training or of validation."""

from __future__ import annotations

import pytest

from filters.extractor import Extractor, extraction_spec
from filters.near_misses import NearMisses

TRAIN = "2026-11-23 10:00:00 | INFO | train | epoch 001 | loss 4.203 | ppl 5.66\n"
VALID = "2026-11-23 10:00:01 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 4.4\n"


def found(text: str, *names: str) -> list[tuple[str, str]]:
    extractor = Extractor(extraction_spec(names))
    points = extractor.feed(text.encode()) + extractor.finish()
    return [(point.name, point.value) for point in points]


def test_the_bare_name_is_that_of_the_validation() -> None:
    assert found(TRAIN + VALID, "loss") == [("loss", "4.4")]


def test_the_names_of_fairseq_have_the_logger_before_them() -> None:
    assert found(TRAIN + VALID, "train_loss", "valid_loss") == [
        ("train_loss", "4.203"),
        ("valid_loss", "4.4"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "train | loss 4.2\n",
        "2026-11-23 10:00:00 | INFO | fairseq_cli.train | loss 4.2\n",
        "| INFO | train | loss 4.2\n",
        "2026-11-23 | WARNING | train | loss 4.2\n",
    ],
)
def test_other_lines_are_read_as_ever(line: str) -> None:
    assert found(line, "loss", "train_loss") == [("loss", "4.2")]


def test_without_validation_the_other_name_is_told() -> None:
    misses = NearMisses(["loss"])
    extractor = Extractor(extraction_spec(["loss"]), near_misses=misses)
    extractor.feed(TRAIN.encode())

    assert [miss.why for miss in misses.of("loss")] == ["this line is of train: ask for train_loss"]
