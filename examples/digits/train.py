"""Train a small network on handwritten digits, and print its accuracy after each epoch.

The digits come with scikit-learn, the network is plain NumPy, and a run takes a second or two:
real training, small enough for a laptop. The same arguments always give the same lines.

    python3 train.py --lr 0.02 --num-layers 3 --optimizer adam

With --event-dir DIRECTORY, it also writes an event file for TensorBoard there. A training of your
own does this with torch's SummaryWriter, tensorboardX, TensorFlow or Keras.

With --checkpoint DIRECTORY, it goes on from the weights in this directory, and leaves the new ones
there.
"""

from __future__ import annotations

import argparse
import os
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Array = NDArray[np.float64]
Indices = NDArray[np.integer]
Optimizer = Callable[[Array, Array], None]
"""Changes one array of weights in place by its gradient; it may keep state between calls."""

WIDTH = 32
"""Neurons of a hidden layer."""
BATCH = 32
CHECKPOINT = "network.npz"
"""The file of weights in the directory of --checkpoint."""


def main() -> int:
    """Train with the settings of the command line."""
    arguments = _arguments()
    log_file: Path | None = arguments.log_file
    events = EventFile(arguments.event_dir) if arguments.event_dir else None
    with log_file.open("w") if log_file else nullcontext() as log:
        for epoch, metrics in enumerate(_train(arguments), start=1):
            texts = {name: f"{value:.4f}" for name, value in metrics.items()}
            print(
                f"epoch {epoch}:", *(f"{name}={text}" for name, text in texts.items()), flush=True
            )
            if log:
                for name, text in texts.items():
                    print(f"{{metricName: {name}, metricValue: {text}}}", file=log, flush=True)
            if events:
                for name, text in texts.items():
                    events.add_scalar(name, float(text), epoch)
    return 0


class EventFile:
    """An event file, as TensorBoard reads it. Each value is in the file when the call returns."""

    def __init__(self, directory: Path) -> None:
        """Begin a new file in the directory."""
        directory.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{os.uname().nodename}.{os.getpid()}"
        self._path = directory / name
        self._append(b"\x1a\x0dbrain.Event:2")

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Append one value; the step is below 128, so that one byte has it."""
        name = tag.encode()
        inner = b"\x0a" + bytes([len(name)]) + name + b"\x15" + struct.pack("<f", value)
        summary = b"\x0a" + bytes([len(inner)]) + inner
        self._append(bytes([0x10, step, 0x2A, len(summary)]) + summary)

    def _append(self, event: bytes) -> None:
        """Append a record: length, checksum, event with its time, checksum."""
        event = b"\x09" + struct.pack("<d", time.time()) + event
        length = struct.pack("<Q", len(event))
        with self._path.open("ab") as file:
            file.write(length + _checksum(length) + event + _checksum(event))


def _checksum(data: bytes) -> bytes:
    """Return the masked CRC-32C of bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _train(arguments: argparse.Namespace) -> Iterator[dict[str, float]]:
    """Yield the metrics after each epoch. One digit in four is held out to validate."""
    dice = np.random.default_rng(arguments.seed)
    images, labels = load_digits(return_X_y=True)
    order = dice.permutation(len(labels))
    images, labels = images[order] / 16, labels[order]
    held_out, learned = slice(len(labels) // 4), slice(len(labels) // 4, None)
    network = Network(arguments.num_layers, OPTIMIZERS[arguments.optimizer], arguments.lr, dice)
    done = 0
    if arguments.checkpoint is not None:
        done = network.load(arguments.checkpoint / CHECKPOINT)
        dice = np.random.default_rng([arguments.seed, done])  # other batches than before
    for _ in range(arguments.epochs):
        for batch in _batches(len(labels[learned]), dice):
            network.learn(images[learned][batch], labels[learned][batch])
        yield {
            "Validation-accuracy": network.accuracy(images[held_out], labels[held_out]),
            "Train-accuracy": network.accuracy(images[learned], labels[learned]),
        }
    if arguments.checkpoint is not None:
        network.save(arguments.checkpoint / CHECKPOINT, done + arguments.epochs)


class Network:
    """Layers of weights with ReLU between them; the output is the likelihood of each digit."""

    def __init__(
        self,
        layers: int,
        optimizer: Callable[[Array, float], Optimizer],
        rate: float,
        dice: np.random.Generator,
    ) -> None:
        sizes = [64, *[WIDTH] * (layers - 1), 10]
        self.weights = [
            dice.normal(0, np.sqrt(2 / inputs), (inputs, outputs))
            for inputs, outputs in pairwise(sizes)
        ]
        self.biases = [np.zeros(outputs) for outputs in sizes[1:]]
        self._steps = [optimizer(array, rate) for array in (*self.weights, *self.biases)]

    def load(self, file: Path) -> int:
        """Take over the weights of a file, if it exists; return the epochs that they had."""
        if not file.exists():
            return 0
        with np.load(file) as stored:
            for index, array in enumerate((*self.weights, *self.biases)):
                array[:] = stored[f"array{index}"]
            return int(stored["epochs"])

    def save(self, file: Path, epochs: int) -> None:
        """Write the weights; the file is complete, or the old one."""
        arrays: dict[str, Any] = {"epochs": epochs}
        arrays |= {f"array{i}": one for i, one in enumerate((*self.weights, *self.biases))}
        part = file.with_name(f"part-{file.name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(part, **arrays)
        part.replace(file)

    def learn(self, images: Array, labels: Indices) -> None:
        """Go one step down the gradient of the cross entropy."""
        values = self._forward(images)
        error = _softmax(values.pop())
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        of_weights, of_biases = [], []
        for weights, inputs in zip(reversed(self.weights), reversed(values), strict=True):
            of_weights.append(inputs.T @ error)
            of_biases.append(error.sum(axis=0))
            error = (error @ weights.T) * (inputs > 0)
        arrays, gradients = [*self.weights, *self.biases], [*of_weights[::-1], *of_biases[::-1]]
        for step, array, gradient in zip(self._steps, arrays, gradients, strict=True):
            step(array, gradient)

    def loss(self, images: Array, labels: Indices) -> float:
        """Return the cross entropy between predicted and true digits."""
        likelihoods = _softmax(self._forward(images)[-1])
        return float(-np.log(likelihoods[np.arange(len(labels)), labels]).mean())

    def accuracy(self, images: Array, labels: Indices) -> float:
        """Return the share of images whose digit is predicted correctly."""
        return float(np.mean(self._forward(images)[-1].argmax(axis=1) == labels))

    def _forward(self, images: Array) -> list[Array]:
        """Return the input of each layer, and the output of the last one."""
        values = [images]
        for weights, biases in zip(self.weights, self.biases, strict=True):
            values.append(values[-1] @ weights + biases)
            if len(values) <= len(self.weights):
                np.maximum(values[-1], 0, out=values[-1])
        return values


def _softmax(scores: Array) -> Array:
    likelihoods: Array = np.exp(scores - scores.max(axis=1, keepdims=True))
    likelihoods /= likelihoods.sum(axis=1, keepdims=True)
    return likelihoods


def sgd(_weights: Array, rate: float) -> Optimizer:
    """Stochastic gradient descent."""

    def step(weights: Array, gradient: Array) -> None:
        weights -= rate * gradient

    return step


def adam(weights: Array, rate: float) -> Optimizer:
    """Adam: a step of about the rate, whatever the gradient's size (Kingma and Ba, 2015)."""
    mean, square, count = np.zeros_like(weights), np.zeros_like(weights), 0

    def step(weights: Array, gradient: Array) -> None:
        nonlocal mean, square, count
        count += 1
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        unbiased = mean / (1 - 0.9**count), square / (1 - 0.999**count)
        weights -= rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)

    return step


def ftrl(weights: Array, rate: float) -> Optimizer:
    """FTRL-Proximal: weights follow from all gradients so far (McMahan and others, 2013)."""
    shrinkage = 1e-4
    square = np.full_like(weights, 0.1)
    slope = -weights * np.sqrt(square) / rate  # so that the first weights are the given ones

    def step(weights: Array, gradient: Array) -> None:
        nonlocal square, slope
        grown = square + gradient**2
        slope += gradient - (np.sqrt(grown) - np.sqrt(square)) / rate * weights
        square = grown
        weights[:] = -np.sign(slope) * np.maximum(np.abs(slope) - shrinkage, 0)
        weights *= rate / np.sqrt(square)

    return step


OPTIMIZERS: dict[str, Callable[[Array, float], Optimizer]] = {
    "sgd": sgd,
    "adam": adam,
    "ftrl": ftrl,
}


def _batches(count: int, dice: np.random.Generator) -> Iterator[Indices]:
    order = dice.permutation(count)
    for start in range(0, count, BATCH):
        yield order[start : start + BATCH]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--lr", type=float, default=0.02, help="learning rate (default 0.02)")
    parser.add_argument("--num-layers", type=int, default=3, help="layers of weights (default 3)")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="adam", help="default adam")
    parser.add_argument("--epochs", type=int, default=10, help="default 10")
    parser.add_argument("--seed", type=int, default=1, help="of weights and batches (default 1)")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIRECTORY",
        help="go on from the weights in this directory, and leave the new ones there",
    )
    parser.add_argument(
        "--log-file",
        type=Path,
        help="write each value here too, as {metricName: NAME, metricValue: VALUE}",
    )
    parser.add_argument(
        "--event-dir",
        type=Path,
        help="write each value to an event file in this directory too",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
