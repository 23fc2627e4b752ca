"""Logs of real trainings (examples/trainings), and every point in them.

A golden is what `trialwatch extract` prints, beside the log's name; `make golden` renews it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from api.types import LogFormat
from filters.extractor import Extractor, extraction_spec
from filters.points import ExtractedPoint

LOGS = Path(__file__).parents[2] / "examples" / "logs"
GOLDENS = Path(__file__).parent / "logs"
ASKED = [line.split("\t") for line in (LOGS / "metrics.tsv").read_text().splitlines()]


def points(log: str, log_format: str, metrics: str) -> list[ExtractedPoint]:
    extractor = Extractor(extraction_spec(metrics.split(";"), LogFormat(log_format)))
    return extractor.feed((LOGS / log).read_bytes()) + extractor.finish()


@pytest.mark.parametrize(("log", "log_format", "metrics"), ASKED, ids=[row[0] for row in ASKED])
def test_every_point_of_a_real_log_is_found(
    golden: Callable[[Path, str], None], log: str, log_format: str, metrics: str
) -> None:
    rows = [
        json.dumps({"name": name, "value": value, "timestamp": timestamp, "line": line})
        for name, value, timestamp, line, *_ in points(log, log_format, metrics)
    ]
    golden(GOLDENS / f"{log}.golden", "".join(f"{row}\n" for row in rows))


@pytest.mark.parametrize(
    ("log", "log_format", "metric", "precision"),
    [
        ("go-slog.log", "TEXT", "loss", None),
        ("go-slog.json.log", "JSON", "loss", None),
        ("node.log", "TEXT", "loss", None),
        ("node.json.log", "JSON", "metrics.loss", None),
        ("rust.log", "TEXT", "loss", 6),
        ("tqdm.log", "TEXT", "loss", 5),
    ],
)
def test_the_points_are_what_the_training_computed(
    log: str, log_format: str, metric: str, precision: int | None
) -> None:
    """Each of these descends by a fifth a step from 4, and its loss is the square of that."""
    weight, losses = 4.0, []
    for _ in range(20):
        weight -= 0.1 * 2 * weight
        losses.append(weight**2)
    found = [float(point.value) for point in points(log, log_format, metric)]
    steps = list(dict.fromkeys(found))  # tqdm prints a step more than once
    assert len(steps) >= 10
    assert steps == [
        pytest.approx(loss, rel=1e-14) if precision is None else round(loss, precision)
        for loss in losses[: len(steps)]
    ]


def test_a_booster_gives_one_point_for_each_round_and_set() -> None:
    for metrics in (
        "training's auc;training's binary_logloss",
        "valid_1's auc;valid_1's binary_logloss",
    ):
        assert len(points("lightgbm.log", "TEXT", metrics)) == 10 * 2
    found = points("xgboost.log", "TEXT", "eval-rmse;train-rmse")
    assert [point.line for point in found if point.name == "eval-rmse"] == list(range(1, 13))


def test_a_bar_gives_the_same_last_values_on_a_terminal_and_off_it() -> None:
    """The fit is seeded: what Keras prints at an epoch's end does not depend on who looks on."""
    plain, terminal = (
        [p.value for p in points(log, "TEXT", "val_accuracy")]
        for log in ("keras.log", "keras-terminal.log")
    )
    assert plain == terminal
    assert len(plain) == 3


def test_each_log_has_metrics_to_find_and_a_golden() -> None:
    logs = {path.name for path in LOGS.glob("*.log")}
    assert logs == {row[0] for row in ASKED}
    assert {path.name for path in GOLDENS.iterdir()} == {f"{log}.golden" for log in logs}
    assert all(re.search(r'"value"', path.read_text()) for path in GOLDENS.iterdir())
