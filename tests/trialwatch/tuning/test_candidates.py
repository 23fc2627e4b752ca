"""The metrics that an output has, found without their names."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.metric_values import finite
from api.types import LogFormat, ObjectiveType
from filters.extractor import Extractor, extraction_spec
from tests.architecture.tree import ROOT
from tests.filters.corpus_files import corpus
from trialwatch.tuning.candidates import Candidate, Look, candidates, direction_of

LOGS = ROOT / "examples" / "logs"
MINIMIZE, MAXIMIZE = ObjectiveType.MINIMIZE, ObjectiveType.MAXIMIZE


@pytest.mark.parametrize(
    ("log", "best"),
    [
        ("catboost.log", ["test", "learn"]),
        ("go-slog.json.log", ["loss"]),
        ("go-slog.log", ["loss"]),
        ("keras-terminal.log", ["val_accuracy", "val_loss", "accuracy", "loss"]),
        ("keras.log", ["val_accuracy", "val_loss", "accuracy", "loss"]),
        ("lightgbm.log", ["valid_1's auc", "valid_1's binary_logloss"]),
        ("node.json.log", ["loss"]),
        ("node.log", ["loss"]),
        ("rust.log", ["loss"]),
        ("sklearn-verbose.log", ["loss"]),
        ("sklearn.log", ["Validation-accuracy", "loss", "Train-accuracy"]),
        ("tqdm.log", ["loss"]),
        ("xgboost.log", ["eval-rmse", "eval-mae", "train-rmse", "train-mae"]),
    ],
)
def test_the_objective_of_a_real_log_comes_first(log: str, best: list[str]) -> None:
    found = candidates((LOGS / log).read_bytes())

    assert [one.name for one in found[: len(best)]] == best


def test_all_metrics_of_many_frameworks_are_among_the_candidates() -> None:
    """A shorter name is as good: the matcher finds the same values by it."""
    metrics, missing = 0, []
    for entry in corpus():
        found = candidates(entry.output)
        for name, values in entry.metrics.items():
            if any(finite(value) is not None for value in values):
                metrics += 1
                if not any(_is_as_good(one, name, values) for one in found):
                    missing.append(f"{entry.name}: {name}")

    assert metrics > 400
    assert missing == []


def _is_as_good(one: Candidate, name: str, values: Sequence[str]) -> bool:
    return name.endswith(one.name) or (one.name in name and one.first == values[0])


def test_a_table_has_the_metrics_of_its_header() -> None:
    log = (
        b"epoch     train_loss  valid_loss  accuracy\n0         0.155134    0.091220    0.970000\n"
    )

    found = {one.name: one.last for one in candidates(log)}

    assert found == {
        "accuracy": "0.970000",
        "valid_loss": "0.091220",
        "train_loss": "0.155134",
        "epoch": "0",
    }


def test_values_are_counted_and_bounded() -> None:
    [found] = candidates(b"loss=0.5\nloss=nan\nloss=0.25\nloss=0.75\n")

    assert (found.name, found.count, found.first, found.last) == ("loss", 3, "0.5", "0.75")
    assert (found.low, found.high) == (0.25, 0.75)


def test_a_name_of_several_words_is_one_name() -> None:
    assert [one.name for one in candidates(b"Validation accuracy: 0.5, loss: 0.25\n")] == [
        "Validation accuracy",
        "loss",
    ]


def test_json_lines_have_paths() -> None:
    log = b'{"epoch": 1, "val": {"loss": 0.5, "ok": true}}\nnot json\n'

    assert [one.name for one in candidates(log, LogFormat.JSON)] == ["val.loss", "epoch"]


@pytest.mark.parametrize("log", [b"", b"hello\n", b"started at 12:00:01\n", b"\xff\xfe=1\n"])
def test_an_output_without_metrics_has_none(log: bytes) -> None:
    assert candidates(log) == ()


def test_a_step_is_a_counter() -> None:
    looks = {one.name: one.look for one in candidates(b"step=1 loss=0.5 it/s: 3.5\n")}

    assert looks == {"loss": Look.METRIC, "step": Look.COUNTER, "it/s": Look.METRIC}


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("val_loss", MINIMIZE),
        ("Loss", MINIMIZE),
        ("valLoss", MINIMIZE),
        ("binary_logloss", MINIMIZE),
        ("eval-rmse", MINIMIZE),
        ("Validation-accuracy", MAXIMIZE),
        ("val_acc", MAXIMIZE),
        ("mAP@0.5", MAXIMIZE),
        ("mAP50-95", MAXIMIZE),
        ("f1", MAXIMIZE),
        ("Top1", MAXIMIZE),
        ("weight", ObjectiveType.UNKNOWN),
    ],
)
def test_the_direction_follows_from_the_name(name: str, direction: ObjectiveType) -> None:
    assert direction_of(name) is direction


@given(st.text(alphabet="ab =:|0.5\n,\t-{}\"'", max_size=80))
def test_each_candidate_is_found_when_it_is_asked_for_alone(text: str) -> None:
    log = text.encode()

    for one in candidates(log):
        extractor = Extractor(extraction_spec([one.name]))
        assert [*extractor.feed(log), *extractor.finish()]
