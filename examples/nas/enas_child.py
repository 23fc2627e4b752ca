"""Train the network that ENAS suggests on handwritten digits, and print its accuracy.

The digits come with scikit-learn, the network is plain NumPy, and a run takes some seconds. The
same arguments always give the same lines.

    python3 enas_child.py --architecture "[[0], [1, 1]]" --nn_config "{'num_layers': 2, ...}"

The architecture has a list for each layer: the number of its operation, then for each earlier layer
but the last whether its output is an input too; the first of these is the image itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from layers import (  # type: ignore[import-not-found]  # it is beside this script
    Array,
    Classifier,
    Labels,
    Layer,
    batches,
    digits,
    operation,
)

BATCH = 16
RATE = 0.03
HELD_OUT = 0.5


class Child:
    """The network of one architecture."""

    def __init__(
        self, architecture: list[list[int]], config: dict[str, Any], dice: np.random.Generator
    ) -> None:
        self._sources = [
            [*(i for i, used in enumerate(skips) if used), layer]
            for layer, (_, *skips) in enumerate(architecture)
        ]
        channels = [config["input_sizes"][-1]]
        self._layers: list[Layer] = []
        for sources, (number, *_) in zip(self._sources, architecture, strict=True):
            one = config["embedding"][str(number)]
            inputs = sum(channels[source] for source in sources)
            layer, outputs = operation(one["opt_type"], one["opt_params"], inputs, dice)
            self._layers.append(layer)
            channels.append(outputs)
        self._classifier = Classifier(channels[-1], config["output_sizes"][-1], dice)

    def likelihoods(self, images: Array, *, learning: bool = False) -> Array:
        """Return the likelihood of each class for each image."""
        self._outputs = [images]
        for sources, layer in zip(self._sources, self._layers, strict=True):
            inputs = joined([self._outputs[i] for i in sources])
            self._outputs.append(layer.forward(inputs, learning=learning))
        return self._classifier.likelihoods(self._outputs[-1])

    def learn(self, images: Array, labels: Labels, rate: float) -> None:
        """Go one step down the gradient of the cross entropy."""
        self.likelihoods(images, learning=True)
        gradients = [np.zeros_like(output) for output in self._outputs]
        gradients[-1] = gradients[-1] + self._classifier.backward(labels)
        for index in range(len(self._layers) - 1, -1, -1):
            sources = self._sources[index]
            whole = self._layers[index].backward(gradients[index + 1])
            parts = parted(whole, [self._outputs[i] for i in sources])
            for source, part in zip(sources, parts, strict=True):
                gradients[source] += part
        for layer in (*self._layers, self._classifier):
            for weights in layer.weights:
                weights.step(rate)


def joined(images: list[Array]) -> Array:
    """Return the channels of all images; small images are filled up with zeros."""
    height, width = (max(one.shape[axis] for one in images) for axis in (1, 2))
    return np.concatenate(
        [
            np.pad(one, ((0, 0), (0, height - one.shape[1]), (0, width - one.shape[2]), (0, 0)))
            for one in images
        ],
        axis=3,
    )


def parted(gradient: Array, images: list[Array]) -> Iterator[Array]:
    """Yield the part of a gradient of joined images that belongs to each of them."""
    begin = 0
    for one in images:
        end = begin + one.shape[3]
        yield gradient[:, : one.shape[1], : one.shape[2], begin:end]
        begin = end


def train(
    architecture: list[list[int]], config: dict[str, Any], epochs: int, seed: int
) -> Iterator[tuple[float, float]]:
    """Yield the accuracy on the digits to validate, and the loss, after each epoch."""
    dice = np.random.default_rng(seed)
    learned, labels, held_out, truth = digits(HELD_OUT)
    child = Child(architecture, config, dice)
    for epoch in range(epochs):
        rate = RATE * (1 - epoch / epochs)
        for batch in batches(len(labels), BATCH, dice):
            child.learn(learned[batch], labels[batch], rate)
        found = child.likelihoods(held_out)
        loss = -np.log(found[np.arange(len(truth)), truth] + 1e-9).mean()
        yield float(np.mean(found.argmax(axis=1) == truth)), float(loss)


def read(text: str) -> Any:  # noqa: ANN401 - JSON
    """Read a value of the search: JSON with single quotes."""
    return json.loads(text.replace("'", '"'))


def main() -> int:
    """Train with the settings of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--architecture", type=read, required=True)
    parser.add_argument("--nn_config", type=read, required=True)
    parser.add_argument("--num_epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    results = train(given.architecture, given.nn_config, given.num_epochs, given.seed)
    for epoch, (accuracy, loss) in enumerate(results, start=1):
        print(
            f"epoch {epoch}: Validation-Accuracy={accuracy:.4f} Validation-Loss={loss:.4f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
