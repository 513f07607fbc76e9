"""Updates: what is done to a gradient before it is added to a picture.

A normalisation is `gradient -> gradient`, over each picture for itself. An optimiser is a pure
pair: `init(images) -> memory` and `apply(gradient, memory, rate) -> (ahead, memory)`, uphill, with
the defaults of `keras.optimizers`.

Floors keep a vanishing gradient from being blown up. Where another tool's floor is meant, it is
stated for its pictures of −1 to 1; a gradient with respect to 0 to 1 is twice as long.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from dreamer.ascent.regularisers import gaussian
from dreamer.ascent.steps import Step
from dreamer.phases import interleaved

Normalisation = Callable[[tf.Tensor], tf.Tensor]
Update = Callable[[tf.Tensor, Step], tf.Tensor]
Memory = Any
"""A nest of tensors that an optimiser carries from step to step."""

_PIXELS = (1, 2, 3)


def _mean_abs(gradient: tf.Tensor) -> tf.Tensor:
    """Divide by the mean magnitude (Google 2015); the floor is the Keras example's 1e-6."""
    return gradient / tf.maximum(tf.reduce_mean(tf.abs(gradient), _PIXELS, keepdims=True), 2e-6)


def _std(gradient: tf.Tensor) -> tf.Tensor:
    """Divide by the standard deviation; the floor is the TensorFlow tutorial's 1e-8."""
    mean = tf.reduce_mean(gradient, _PIXELS, keepdims=True)
    variance = tf.reduce_mean(tf.square(gradient - mean), _PIXELS, keepdims=True)
    return gradient / (tf.sqrt(variance) + 2e-8)


def _rms(gradient: tf.Tensor) -> tf.Tensor:
    """Divide by the root mean square ("How convolutional neural networks see the world")."""
    square = tf.reduce_mean(tf.square(gradient), _PIXELS, keepdims=True)
    return gradient / (tf.sqrt(square) + 1e-5)


def _l2(gradient: tf.Tensor) -> tf.Tensor:
    """Divide by the Euclidean length."""
    square = tf.reduce_sum(tf.square(gradient), _PIXELS, keepdims=True)
    return gradient * tf.math.rsqrt(tf.maximum(square, 1e-12))


def _none(gradient: tf.Tensor) -> tf.Tensor:
    return gradient


_BINOMIAL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]).astype(np.float32) / 256
# A full convolution of three channels is several times faster than a depthwise one.
_COLOURS = np.eye(3, dtype=np.float32)
_REDUCE = _BINOMIAL[:, :, None, None] * _COLOURS
# Of the same kernel between zeros, what falls on pixels of even and of odd rows and columns.
_PHASES = np.array([[1, 6, 1], [0, 4, 4]], np.float32) / 8
_EXPAND = np.einsum("yk,xl,cd->klcyxd", _PHASES, _PHASES, _COLOURS).reshape(3, 3, 3, 12)


def _mirrored(images: tf.Tensor, width: int) -> tf.Tensor:
    """What `tf.pad` does with `SYMMETRIC`, in two thirds of the time."""
    first, last = slice(width - 1, None, -1), slice(None, -width - 1, -1)
    images = tf.concat([images[:, :, first], images, images[:, :, last]], 2)
    return tf.concat([images[:, first], images, images[:, last]], 1)


def _halve(images: tf.Tensor) -> tf.Tensor:
    """Blur with the binomial kernel and keep every second row and column, the first included."""
    return tf.nn.conv2d(_mirrored(images, 2), _REDUCE, 2, "VALID")


def _double(images: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Twice the size, up to the last row and column that `like` has; the transpose of `_halve`."""
    phases = tf.nn.conv2d(_mirrored(images, 1), _EXPAND, 1, "VALID")
    size = tf.concat([tf.shape(images)[:1], tf.shape(like)[1:]], 0)
    return tf.slice(interleaved(phases, 2), [0, 0, 0, 0], size)


LEVELS = 4
"""Bands of the Laplacian pyramid, beside the rest that is left below them."""

SMALLEST = 2**LEVELS
"""Pixels along each side of a picture that has so many bands."""


def _laplacian(gradient: tf.Tensor) -> tf.Tensor:
    """Bring each band of the gradient's Laplacian pyramid to the same root mean square.

    The `lap_normalize` of the 2015 TensorFlow notebook (Burt and Adelson's pyramid, 1983), with
    mirrored edges. The result has a root mean square of about 1.
    """
    levels = [gradient]
    for _ in range(LEVELS):
        levels.append(_halve(levels[-1]))
    merged = _evened(levels[-1])
    for here, low in reversed(list(itertools.pairwise(levels))):
        expected, below = tf.split(_double(tf.concat([low, merged], 0), here), 2)
        merged = below + _evened(here - expected)
    return merged


def _evened(band: tf.Tensor) -> tf.Tensor:
    """A band with its part of the whole's mean square of 1."""
    square = tf.reduce_mean(tf.square(band), _PIXELS, keepdims=True)
    return band * (tf.math.rsqrt(tf.maximum(square, 1e-20)) / (LEVELS + 1) ** 0.5)


NORMALISATIONS: Mapping[str, Normalisation] = {
    "laplacian": _laplacian,
    "mean-abs": _mean_abs,
    "std": _std,
    "rms": _rms,
    "l2": _l2,
    "none": _none,
}


def cascade(sigma: float) -> Update:
    """The mean of three Gaussian blurs of the gradient, as pytorch-deepdream smooths it.

    Their widths are half, one and two times `sigma` plus up to 2 pixels, growing over the steps.
    """

    def smooth(gradient: tf.Tensor, step: Step) -> tf.Tensor:
        way = tf.cast(step.index + 1, tf.float32) / tf.cast(step.count, tf.float32)
        width = 2 * way + sigma
        return tf.add_n([gaussian(gradient, width * factor) for factor in (0.5, 1.0, 2.0)]) / 3

    return smooth


class Optimiser(NamedTuple):
    """How a gradient becomes a step: both functions are pure."""

    init: Callable[[tf.Tensor], Memory]
    apply: Callable[[tf.Tensor, Memory, Any], tuple[tf.Tensor, Memory]]


def _plain_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    return gradient * rate, memory


def _adam_init(images: tf.Tensor) -> Memory:
    return tf.constant(0.0), tf.zeros_like(images), tf.zeros_like(images)


def _adam_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    """Kingma and Ba (2015), as `keras.optimizers.Adam` has it, uphill."""
    count, mean, square = memory
    count = count + 1
    mean = mean + (gradient - mean) * 0.1
    square = square + (tf.square(gradient) - square) * 0.001
    scale = rate * tf.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    return mean * scale / (tf.sqrt(square) + 1e-7), (count, mean, square)


MOMENTUM = 0.9


def _momentum_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    """Polyak (1964)."""
    velocity = MOMENTUM * memory + rate * gradient
    return velocity, velocity


def _nesterov_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    """Nesterov (1983), in Sutskever's form."""
    velocity = MOMENTUM * memory + rate * gradient
    return MOMENTUM * velocity + rate * gradient, velocity


def _rmsprop_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    """Tieleman and Hinton (2012)."""
    square = 0.9 * memory + 0.1 * tf.square(gradient)
    return rate * gradient * tf.math.rsqrt(square + 1e-7), square


OPTIMISERS: Mapping[str, Optimiser] = {
    "ascent": Optimiser(lambda images: (), _plain_apply),
    "momentum": Optimiser(tf.zeros_like, _momentum_apply),
    "nesterov": Optimiser(tf.zeros_like, _nesterov_apply),
    "rmsprop": Optimiser(tf.zeros_like, _rmsprop_apply),
    "adam": Optimiser(_adam_init, _adam_apply),
}
