"""Named numbers that are not the metric's value: code, settings, and parts of the data."""

from __future__ import annotations

import pytest

from filters.extractor import Extractor, extraction_spec


def points(text: str, *metrics: str) -> list[tuple[str, str]]:
    extractor = Extractor(extraction_spec(metrics))
    return [(p.name, p.value) for p in extractor.feed(text.encode()) + extractor.finish()]


@pytest.mark.parametrize(
    "text",
    [
        ">>> loss = 0.5",
        "... loss = 0.5",
        "print 'loss: 0.5'",
        "+ loss=0.5",
        "In [1]: loss = 0.5",
        '> cat("loss: 0.5")',
        'print("loss: 0.5")',
        "$ python train.py loss=0.5",
        "    assert (loss=0.5)",
        "Namespace(lr=0.1, loss=0.5)",
        "config: {'lr': 0.1, 'loss': 0.5}",
        "config=TrainConfig(loss=0.5)",
        "Hyperparameters = {'loss': 0.5}",
        'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\n    step(loss=0.5)\n',
    ],
)
def test_a_number_in_code_or_in_settings_is_not_a_value(text: str) -> None:
    assert points(text, "loss") == []


@pytest.mark.parametrize(
    "text",
    [
        "Trial 0 finished with loss: 0.5 and parameters: {'x': 0.25}",
        "result(loss=0.5)",
        'config done; {"loss": 0.5}',
        "+ Fold1: loss=0.5",
        '  File "a.py", line 3\n    step()\nloss=0.5',
    ],
)
def test_a_value_beside_code_or_settings_counts(text: str) -> None:
    assert points(text, "loss") == [("loss", "0.5")]


def test_the_source_in_a_traceback_is_known_also_after_a_cut() -> None:
    spec = extraction_spec(["loss"])
    first = Extractor(spec)
    first.feed(b'  File "a.py", line 3, in <module>\n')
    assert Extractor(spec, first.position).feed(b"    step(loss=0.5)\n") == []


def test_a_name_for_two_parts_of_the_data_is_none_of_them() -> None:
    assert points("Train: loss=0.5 acc=0.9 | Val: loss=0.6 acc=0.8", "loss", "acc") == []
    assert points("Val: loss=0.6 acc=0.8", "Val: loss") == [("Val: loss", "0.6")]
    assert points("cls loss: 0.5 box loss: 0.6", "loss") == []
    assert points("loss: 0.5 box loss: 0.6", "loss") == [("loss", "0.5")]


def test_the_entries_of_a_list_all_count() -> None:
    assert points("[{'loss': 0.5}, {'loss': 0.4}]", "loss") == [("loss", "0.5"), ("loss", "0.4")]


def test_doubtful_numbers_are_counted() -> None:
    extractor = Extractor(extraction_spec(["loss"]))
    extractor.feed(b"train: loss=0.5 val: loss=0.6\n>>> loss = 0.5\nloss=0.5\n")
    assert (extractor.counters.doubtful, extractor.counters.points) == (3, 1)
