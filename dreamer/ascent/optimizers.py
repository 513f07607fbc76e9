"""Optimizers, which turn gradients into steps uphill.

Each is a pair of pure functions, `init(images) -> memory` and
`apply(gradient, memory, rate) -> (step, memory)`, with the defaults of `keras.optimizers`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

Memory = Any
"""A nest of tensors that an optimizer carries from step to step."""


class Optimizer(NamedTuple):
    """A pair of pure functions that turn gradients into steps.

    Attributes:
        init: returns the memory before the first step, given the images.
        apply: returns the step to add and the next memory, given gradient, memory and step size.
    """

    init: Callable[[tf.Tensor], Memory]
    apply: Callable[[tf.Tensor, Memory, Any], tuple[tf.Tensor, Memory]]


def _plain_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    return gradient * rate, memory


def _adam_init(images: tf.Tensor) -> Memory:
    return tf.constant(0.0), tf.zeros_like(images), tf.zeros_like(images)


def _adam_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    """Take a step of Adam (Kingma and Ba, 2015), as in `keras.optimizers.Adam`, but uphill."""
    count, mean, square = memory
    count = count + 1
    mean = mean + (gradient - mean) * 0.1
    square = square + (tf.square(gradient) - square) * 0.001
    scale = rate * tf.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    return mean * scale / (tf.sqrt(square) + 1e-7), (count, mean, square)


MOMENTUM = 0.9
"""The share of the velocity that `momentum` and `nesterov` keep from step to step."""


def _momentum_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    """Take a step with momentum (Polyak, 1964)."""
    velocity = MOMENTUM * memory + rate * gradient
    return velocity, velocity


def _nesterov_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    """Take a step with Nesterov momentum (1983), in Sutskever's form."""
    velocity = MOMENTUM * memory + rate * gradient
    return MOMENTUM * velocity + rate * gradient, velocity


def _rmsprop_apply(gradient: tf.Tensor, memory: Memory, rate: Any) -> tuple[tf.Tensor, Memory]:
    """Take a step of RMSprop (Tieleman and Hinton, 2012)."""
    square = 0.9 * memory + 0.1 * tf.square(gradient)
    return rate * gradient * tf.math.rsqrt(square + 1e-7), square


OPTIMIZERS: Mapping[str, Optimizer] = {
    "ascent": Optimizer(lambda images: (), _plain_apply),
    "momentum": Optimizer(tf.zeros_like, _momentum_apply),
    "nesterov": Optimizer(tf.zeros_like, _nesterov_apply),
    "rmsprop": Optimizer(tf.zeros_like, _rmsprop_apply),
    "adam": Optimizer(_adam_init, _adam_apply),
}
"""The optimizers by name; `ascent` is plain gradient ascent."""
