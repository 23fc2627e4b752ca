"""The training that the examples run: it learns, it repeats itself, and prints what is looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from api.types import LogFormat
from examples.digits.train import OPTIMIZERS, Array, Indices, Network, Optimizer
from filters.extractor import Extractor, extraction_spec
from tests.examples.test_experiments import EXAMPLES, experiment

METRICS = ("Validation-accuracy", "Train-accuracy")


def train(*words: str) -> bytes:
    script = EXAMPLES / "digits" / "train.py"
    done = subprocess.run([sys.executable, script, *words], capture_output=True, check=True)
    return done.stdout


def found(log: bytes, *filters: str) -> list[tuple[str, str]]:
    extractor = Extractor(extraction_spec(METRICS, LogFormat.TEXT, filters))
    return [(point.name, point.value) for point in (*extractor.feed(log), *extractor.finish())]


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_every_optimizer_learns(optimizer: str) -> None:
    points = found(train("--optimizer", optimizer, "--lr", "0.03", "--num-layers", "3"))

    assert [name for name, _ in points] == [*METRICS] * 10
    validation = [float(value) for name, value in points if name == METRICS[0]]
    # One in ten would be luck.
    assert validation[-1] > 0.7
    assert validation[-1] > validation[0]


def test_the_same_arguments_give_the_same_lines_and_another_seed_gives_others() -> None:
    first, again, other = (train("--epochs", "2", "--seed", seed) for seed in ("1", "1", "2"))

    assert first == again
    assert first != other


def test_the_file_holds_what_was_printed_in_the_form_that_the_example_asks_for(
    tmp_path: Path,
) -> None:
    log = tmp_path / "mnist.log"
    printed = found(train("--epochs", "3", "--log-file", str(log)))
    collector = experiment("file-collector").spec.collector

    assert collector is not None
    assert len(printed) == 6
    assert found(log.read_bytes(), *collector.filters) == printed


def test_the_network_goes_down_its_own_gradient() -> None:
    dice = np.random.default_rng(1)
    images, labels = dice.random((5, 64)), np.arange(5)
    gradients: list[Array] = []

    def remember(_weights: Array, _rate: float) -> Optimizer:
        return lambda _array, gradient: gradients.append(gradient.copy())

    network = Network(3, remember, 0.01, dice)
    network.learn(images, labels)

    arrays = (*network.weights, *network.biases)
    for array, gradient in zip(arrays, gradients, strict=True):
        place = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
        slope = _slope(network, array, place, images, labels)
        assert gradient[place] == pytest.approx(slope, rel=1e-4)


def _slope(
    network: Network, array: Array, place: tuple[np.intp, ...], images: Array, labels: Indices
) -> float:
    losses = []
    for step in (1e-5, -2e-5):
        array[place] += step
        losses.append(network.loss(images, labels))
    array[place] += 1e-5
    return float((losses[0] - losses[1]) / 2e-5)


def test_a_step_of_each_optimizer_starts_at_the_weights_it_is_given() -> None:
    for make in OPTIMIZERS.values():
        weights = np.array([0.5, -0.25])
        step = make(weights, 0.01)
        step(weights, np.array([1e-9, 1e-9]))
        # Adam goes by its rate however flat the slope; FTRL's shrinkage is far below that.
        assert weights == pytest.approx([0.5, -0.25], abs=0.011)


def test_the_event_file_is_read_by_tensorboard_and_holds_what_was_printed(tmp_path: Path) -> None:
    printed = found(train("--epochs", "3", "--event-dir", str(tmp_path / "events")))
    (file,) = (tmp_path / "events").iterdir()
    theirs = EventAccumulator(str(file), size_guidance={"scalars": 0})
    theirs.Reload()
    for metric in METRICS:
        scalars = theirs.Scalars(metric)
        assert [scalar.step for scalar in scalars] == [1, 2, 3]
        values = [np.float32(value) for name, value in printed if name == metric]
        assert [np.float32(scalar.value) for scalar in scalars] == values
