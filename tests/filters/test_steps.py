"""The training's own counter is found on a metric's line or a progress line, and never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.report_limits import LARGEST_STEP
from api.types import LogFormat
from filters.extractor import ExtractionSpec, Extractor, extraction_spec
from filters.steps import PATIENCE


def steps(
    log: str, log_format: LogFormat = LogFormat.TEXT, patterns: tuple[str, ...] = ()
) -> list[int | None]:
    return steps_by(extraction_spec(["loss"], log_format, patterns), log)


def steps_by(wanted: ExtractionSpec, log: str) -> list[int | None]:
    extractor = Extractor(wanted)
    points = extractor.feed(log.encode()) + extractor.finish()
    return [point.step for point in points]


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("step 400 loss=0.5", 400),
        ("Step: 400, loss: 0.5", 400),
        ("[step=7] loss=0.5", 7),
        ("iter: 12, loss: 0.5", 12),
        ("[iter 0] loss=5.7894 val_loss=5.6823", 0),
        ("Iteration 100, loss = 0.41231", 100),
        (" iteration      200/     500 | loss: 1.5 |", 200),
        ("STEP 8 loss=0.5", 8),
        ("EPOCH 8 loss=0.5", 8),
        ("Epoch 00003: loss=0.5", 3),
        ("Epoch #3 loss=0.5", 3),
        ("[Epoch 0] loss: 0.5123", 0),
        ("Epoch 1:  25%|###   | 1/4 [00:00<00:00, 7.65it/s, loss=0.928]", 1),
        ("loss=0.5 epoch=4", 4),
        ('{"step": 7, "loss": 0.5}', 7),
        ("{'epoch': 7, 'loss': 0.5}", 7),
        ("global_step=400 epoch 3 loss=0.5", 400),
        ("epoch 3 trainer/global_step 400 loss=0.5", 400),
        ("Epoch 3, step 400, loss=0.5", 400),
        ("Epoch [3/5], Step [100/600], loss: 0.5", 3),
        ("epoch 1 - iter 10/100 - loss 0.81230912", 1),
        ("\x1b[1mEpoch\x1b[0m \x1b[32m3\x1b[0m/10 loss=0.5", 3),
    ],
)
def test_a_counter_on_the_line_is_the_step(line: str, step: int) -> None:
    assert steps(line) == [step]


@pytest.mark.parametrize(
    "line",
    [
        "[400] loss=0.5",
        "100/600 loss=0.5",
        "3 loss=0.5",
        "epochs=10 loss=0.5",
        "n_epoch=10 loss=0.5",
        "steps_per_epoch=10 loss=0.5",
        "best_epoch: 3 loss=0.5",
        "timestep 5 loss=0.5",
        "epoch 0.5 loss=0.5",
        "epoch -1 loss=0.5",
        "step 1,234 loss=0.5",
        "step 1e3 loss=0.5",
        "step 5% loss=0.5",
        "step7 loss=0.5",
        "ms/step: 5 loss=0.5",
        f"step {10**18} loss=0.5",
        "step loss=0.5",
    ],
)
def test_a_number_that_may_be_something_else_is_not_a_step(line: str) -> None:
    assert steps(line) == [None]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("Epoch 3/10\nloss: 0.5\nloss: 0.4\nEpoch 4/10\nloss: 0.3", [3, 3, 4]),
        ("Epoch 3/10\r\n1/9 - loss: 0.5\r2/9 - loss: 0.4\r\n", [3, 3]),
        ("== Iteration 12 ==\nloss 0.5", [12]),
        ("Step 400:\n  loss 0.5\n  acc 0.9", [400]),
        ("2026-01-01T00:00:00Z Epoch 3\nloss=0.5", [3]),
        ("INFO - training epoch 3/4\nloss=0.5", [3]),
        ("iter 10 loss=0.5\nval done, loss=0.4\niter 20 loss=0.3", [10, 10, 20]),
        ("Epoch 1/2\nstep 3/3 - loss: 0.5\nEpoch 2/2\nstep 3/3 - loss: 0.4", [1, 2]),
        ("epoch: 10\nloss=0.5", [None]),
        ("args: epoch=10, step 5\nloss=0.5", [None]),
        ("loss=0.5\nEpoch 3", [None]),
    ],
)
def test_a_line_without_a_counter_has_that_of_a_line_before_it(
    log: str, expected: list[int | None]
) -> None:
    assert steps(log) == expected
    pattern = (r"(loss)\W+([\d.]+)",)
    assert steps(log, patterns=pattern) == expected


def test_after_many_lines_without_a_counter_none_is_looked_for() -> None:
    few, many = "loss=0.5\n" * (PATIENCE - 1), "loss=0.5\n" * PATIENCE
    assert steps(few + "step 7 loss=0.5")[-1] == 7
    assert steps(many + "step 7 loss=0.5")[-1] is None


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ('{"loss": 0.5, "step": 400}', 400),
        ('{"loss": 0.5, "epoch": 3, "step": 400}', 400),
        ('{"loss": 0.5, "epoch": 3, "step": 400, "global_step": 1200}', 1200),
        ('{"loss": 0.5, "step": "7"}', 7),
        ('{"loss": 0.5, "epoch": 3.0}', 3),
        ('{"loss": 0.5, "step": 0.5, "epoch": 3}', 3),
        ('{"loss": 0.5, "step": -1}', None),
        ('{"loss": 0.5, "step": 1e3}', None),
        ('{"loss": 0.5, "step": true}', None),
        ('{"loss": 0.5, "step": [1]}', None),
        (f'{{"loss": 0.5, "step": {LARGEST_STEP}}}', LARGEST_STEP),
        (f'{{"loss": 0.5, "step": {LARGEST_STEP + 1}}}', None),
        ('{"loss": 0.5, "message": "step 400"}', None),
    ],
)
def test_the_step_of_a_json_object_is_its_most_exact_counter(line: str, step: int | None) -> None:
    assert steps(line, LogFormat.JSON) == [step]


@pytest.mark.parametrize("log_format", LogFormat)
def test_no_step_is_looked_for_if_steps_are_off(log_format: LogFormat) -> None:
    wanted = extraction_spec(["loss"], log_format, steps=False)
    assert steps_by(wanted, '{"step": 7, "loss": 0.5}') == [None]


@given(
    st.lists(st.sampled_from(["step 7 ", "epoch 2 ", "Epoch 3/4\n", "loss=1 ", "\n", "iter", "=", "5 "])),
    st.integers(0, 60),
)  # fmt: skip
def test_steps_change_nothing_else_of_a_point(parts: list[str], cut: int) -> None:
    log = "".join(parts).encode()
    found = []
    for on in (True, False):
        extractor = Extractor(extraction_spec(["loss"], steps=on))
        points = extractor.feed(log[:cut]) + extractor.feed(log[cut:]) + extractor.finish()
        found.append([point._replace(step=None) for point in points])
    assert found[0] == found[1]
