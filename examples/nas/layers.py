"""Layers of small networks for images, in plain NumPy: each computes its output and its gradients.

Images are arrays of shape (images, height, width, channels), as 32-bit floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer]


class Weights:
    """An array that is trained by Adam, with the gradient of the last step."""

    def __init__(self, value: Array) -> None:
        self.value: Array = value.astype(np.float32)
        self.gradient: Array = np.zeros_like(self.value)
        self._mean, self._square, self._count = 0 * self.value, 0 * self.value, 0

    def step(self, rate: float, decay: float = 0.0) -> None:
        """Go one step down the gradient, and forget it (Kingma and Ba, 2015)."""
        gradient = self.gradient + decay * self.value
        self._count += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.999 * self._square + 0.001 * gradient**2
        mean = self._mean / (1 - 0.9**self._count)
        square = self._square / (1 - 0.999**self._count)
        self.value -= (rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)
        self.gradient = np.zeros_like(self.value)


class Layer(Protocol):
    """One operation on images."""

    weights: list[Weights]

    def forward(self, images: Array, *, learning: bool) -> Array:
        """Return the output; `learning`: the next call is `backward`."""

    def backward(self, gradient: Array) -> Array:
        """Take the gradient of the last output, and return the gradient of its input."""


class Identity:
    """Leaves its input as it is."""

    def __init__(self) -> None:
        self.weights: list[Weights] = []

    def forward(self, images: Array, *, learning: bool) -> Array:  # noqa: ARG002 - as of all layers
        """Return the input."""
        return images

    def backward(self, gradient: Array) -> Array:
        """Return the gradient."""
        return gradient


class Normalization:
    """Gives each channel the mean 0 and the variance 1, then a ReLU with a bias and a scale."""

    def __init__(self, channels: int) -> None:
        self._scale, self._bias = Weights(np.ones(channels)), Weights(np.zeros(channels))
        self.weights = [self._scale, self._bias]
        self._mean, self._deviation = np.zeros(channels), np.ones(channels)

    def forward(self, flat: Array, *, learning: bool) -> Array:
        """Normalize by these values if it learns, else by all values that it has learned from."""
        mean, deviation = self._mean, self._deviation
        if learning:
            mean, deviation = flat.mean(axis=0), flat.std(axis=0) + 1e-3
            self._mean = 0.9 * self._mean + 0.1 * mean
            self._deviation = 0.9 * self._deviation + 0.1 * deviation
        self._used = deviation.astype(np.float32)
        self._normal = (flat - mean.astype(np.float32)) / self._used
        output = np.maximum(self._normal * self._scale.value + self._bias.value, 0)
        self._active = output > 0
        return np.asarray(output)

    def backward(self, gradient: Array) -> Array:
        """Return the gradient of the values."""
        gradient = gradient * self._active
        self._scale.gradient += (gradient * self._normal).sum(axis=0)
        self._bias.gradient += gradient.sum(axis=0)
        inner = gradient * self._scale.value
        centred = inner - inner.mean(axis=0) - self._normal * (inner * self._normal).mean(axis=0)
        return np.asarray(centred / self._used)


class Convolution:
    """A convolution, normalized; the output is as large as the input, divided by the stride."""

    def __init__(
        self, channels: int, filters: int, size: int, dice: np.random.Generator, stride: int = 1
    ) -> None:
        fan = size * size * channels
        self._matrix = Weights(dice.normal(0, np.sqrt(2 / fan), (fan, filters)))
        self._normalized = Normalization(filters)
        self.weights = [self._matrix, *self._normalized.weights]
        self._size, self._stride = size, stride

    def forward(self, images: Array, *, learning: bool) -> Array:
        """Return the convolved images."""
        windows = _windows(_padded(images, self._size), self._size, self._stride)
        count, height, width = windows.shape[:3]
        self._columns = windows.reshape(count * height * width, -1)
        self._shape = images.shape, windows.shape
        output = self._normalized.forward(self._columns @ self._matrix.value, learning=learning)
        return output.reshape(count, height, width, -1)

    def backward(self, gradient: Array) -> Array:
        """Return the gradient of the images."""
        flat = self._normalized.backward(gradient.reshape(len(self._columns), -1))
        self._matrix.gradient += self._columns.T @ flat
        images, windows = self._shape
        return _spread(
            (flat @ self._matrix.value.T).reshape(windows), images, self._size, self._stride
        )


class SeparableConvolution:
    """A filter for each channel, then a convolution of size 1 over all channels."""

    def __init__(
        self, channels: int, filters: int, size: int, dice: np.random.Generator, stride: int = 1
    ) -> None:
        shape = (size, size, channels)
        self._filters = Weights(dice.normal(0, 1 / size, shape))
        self._mixed = Convolution(channels, filters, 1, dice)
        self.weights = [self._filters, *self._mixed.weights]
        self._size, self._stride = size, stride

    def forward(self, images: Array, *, learning: bool) -> Array:
        """Return the convolved images."""
        self._shape = images.shape
        windows = _windows(_padded(images, self._size), self._size, self._stride)
        self._input = windows
        own = np.zeros(windows.shape[:4], np.float32)
        for row, column in np.ndindex(self._size, self._size):
            own += windows[..., row, column] * self._filters.value[row, column]
        return self._mixed.forward(own, learning=learning)

    def backward(self, gradient: Array) -> Array:
        """Return the gradient of the images."""
        own = self._mixed.backward(gradient)
        spread = np.empty_like(self._input)
        for row, column in np.ndindex(self._size, self._size):
            part = own * self._input[..., row, column]
            self._filters.gradient[row, column] += part.sum(axis=(0, 1, 2))
            spread[..., row, column] = own * self._filters.value[row, column]
        return _spread(spread, self._shape, self._size, self._stride)


class Pooling:
    """The largest or the mean value of each square; small images stay as they are."""

    def __init__(self, size: int, *, largest: bool) -> None:
        self.weights: list[Weights] = []
        self._size, self._largest = size, largest

    def forward(self, images: Array, *, learning: bool) -> Array:  # noqa: ARG002 - as of all layers
        """Return the smaller images."""
        self._input = images
        count, height, width, channels = images.shape
        rows, columns = height // self._size, width // self._size
        if not rows or not columns:
            return images
        inner = images[:, : rows * self._size, : columns * self._size]
        squares = inner.reshape(count, rows, self._size, columns, self._size, channels)
        output = squares.max(axis=(2, 4)) if self._largest else squares.mean(axis=(2, 4))
        self._output = output
        return np.asarray(output, np.float32)

    def backward(self, gradient: Array) -> Array:
        """Return the gradient of the images."""
        images, size = self._input, self._size
        if gradient.shape == images.shape:
            return gradient
        spread = np.zeros_like(images)
        rows, columns = gradient.shape[1] * size, gradient.shape[2] * size
        wide = gradient.repeat(size, axis=1).repeat(size, axis=2)
        if self._largest:
            winner = self._output.repeat(size, axis=1).repeat(size, axis=2)
            spread[:, :rows, :columns] = wide * (images[:, :rows, :columns] == winner)
        else:
            spread[:, :rows, :columns] = wide / size**2
        return spread


class Classifier:
    """The mean of each channel, and from these the likelihood of each class."""

    def __init__(self, channels: int, classes: int, dice: np.random.Generator) -> None:
        self._matrix = Weights(dice.normal(0, np.sqrt(1 / channels), (channels, classes)))
        self._bias = Weights(np.zeros(classes))
        self.weights = [self._matrix, self._bias]

    def likelihoods(self, images: Array) -> Array:
        """Return the likelihood of each class for each image."""
        self._shape = images.shape
        self._means = images.mean(axis=(1, 2))
        scores = self._means @ self._matrix.value + self._bias.value
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        self._found: Array = odds / odds.sum(axis=1, keepdims=True)
        return np.asarray(self._found)

    def backward(self, labels: Labels) -> Array:
        """Return the gradient of the cross entropy for the last images."""
        error = self._found.copy()
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        self._matrix.gradient += self._means.T @ error
        self._bias.gradient += error.sum(axis=0)
        count, height, width, channels = self._shape
        means = (error @ self._matrix.value.T) / (height * width)
        return np.broadcast_to(means[:, None, None, :], (count, height, width, channels))


def operation(
    kind: str, parameters: Mapping[str, str | int], channels: int, dice: np.random.Generator
) -> tuple[Layer, int]:
    """Return the layer of an operation, and how many channels its output has."""
    if kind == "reduction":
        largest = parameters["reduction_type"] == "max_pooling"
        return Pooling(int(parameters["pool_size"]), largest=largest), channels
    filters, size = int(parameters["num_filter"]), int(parameters["filter_size"])
    stride = int(parameters.get("stride", 1))
    made = SeparableConvolution if kind == "separable_convolution" else Convolution
    return made(channels, filters, size, dice, stride), filters


def digits(held_out: float) -> tuple[Array, Labels, Array, Labels]:
    """Return images and labels to learn, and images and labels to validate with this share."""
    flat, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    images = (flat[order] / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    labels = labels[order]
    border = int(len(labels) * held_out)
    return images[border:], labels[border:], images[:border], labels[:border]


def batches(count: int, size: int, dice: np.random.Generator) -> Iterator[NDArray[np.integer]]:
    """Yield the indices of each batch of one epoch."""
    order = dice.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]


def _padded(images: Array, size: int) -> Array:
    before, after = (size - 1) // 2, size // 2
    return np.pad(images, ((0, 0), (before, after), (before, after), (0, 0)))


def _windows(images: Array, size: int, stride: int) -> Array:
    """Return the square around each pixel: (images, height, width, channels, size, size)."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (size, size), axis=(1, 2))
    return np.asarray(windows[:, ::stride, ::stride])


def _spread(windows: Array, shape: tuple[int, ...], size: int, stride: int) -> Array:
    """Add the gradients of all squares, and return those of the images with this shape."""
    count, height, width, channels = shape
    border = size - 1
    padded = np.zeros((count, height + border, width + border, channels), np.float32)
    rows, columns = windows.shape[1] * stride, windows.shape[2] * stride
    for row, column in np.ndindex(size, size):
        target = padded[:, row : row + rows : stride, column : column + columns : stride]
        target += windows[:, : target.shape[1], : target.shape[2], :, row, column]
    before = (size - 1) // 2
    return padded[:, before : before + height, before : before + width]
