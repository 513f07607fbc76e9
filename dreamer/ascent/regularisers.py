"""Regularisers `(images, gradient, step) -> images`, applied after a step of ascent."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf


class Step(NamedTuple):
    """Where an octave stands, as int32 scalars: the step just taken, from 0, and their number."""

    index: tf.Tensor
    count: tf.Tensor


Regulariser = Callable[[tf.Tensor, tf.Tensor, Step], tf.Tensor]


def clip(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
    """Keep colours within 0 to 1."""
    return tf.clip_by_value(images, 0.0, 1.0)


def blur(sigma: float | tf.Tensor) -> Regulariser:
    """A Gaussian blur of standard deviation `sigma` pixels, with mirrored edges."""

    def smooth(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        return gaussian(images, sigma)

    return smooth


def gaussian(images: tf.Tensor, sigma: float | tf.Tensor) -> tf.Tensor:
    """Blur pictures `(n, h, w, c)` by `sigma` pixels; 0 leaves them as they are."""
    sigma = tf.cast(sigma, tf.float32)
    # Mirrored padding cannot be wider than the picture itself.
    radius = tf.minimum(
        tf.cast(tf.math.ceil(3 * sigma), tf.int32), tf.reduce_min(tf.shape(images)[1:3])
    )
    offset = tf.cast(tf.range(-radius, radius + 1), tf.float32)
    kernel = tf.exp(-tf.square(offset / tf.maximum(sigma, 1e-6)) / 2)
    kernel = kernel / tf.reduce_sum(kernel)
    pad = [[0, 0], [radius, radius], [radius, radius], [0, 0]]
    padded = tf.pad(images, tf.convert_to_tensor(pad), "SYMMETRIC")
    channels = tf.ones([1, 1, images.shape[-1], 1])
    for shape in ([-1, 1, 1, 1], [1, -1, 1, 1]):
        taps = tf.reshape(kernel, shape) * channels
        padded = tf.nn.depthwise_conv2d(padded, taps, [1, 1, 1, 1], "VALID")
    return padded


def every(period: int | tf.Tensor, regulariser: Regulariser) -> Regulariser:
    """Apply `regulariser` after every `period`-th step, but not an octave's last.

    The last step's fine detail would otherwise be lost from what is carried up or shown.
    """

    def sometimes(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        due = ((step.index + 1) % period == 0) & (step.index + 1 < step.count)
        return tf.cond(due, lambda: regulariser(images, gradient, step), lambda: images)

    return sometimes


def chain(*regularisers: Regulariser) -> Regulariser:
    """Several, one after the other; none leaves the pictures as they are."""

    def run(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        for regulariser in regularisers:
            images = regulariser(images, gradient, step)
        return images

    return run
