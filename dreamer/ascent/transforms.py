"""Transforms `(images, seed) -> images`, applied inside the tape before the network sees them.

Because the gradient passes through them, nothing has to be undone by hand.
"""

from collections.abc import Callable

import tensorflow as tf

Transform = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Pictures `(n, h, w, 3)` and a seed of two int32 to pictures; the same seed, the same result."""


def jitter(most: int | tf.Tensor) -> Transform:
    """Roll by up to `most` pixels along each axis, with wrap-around (Google 2015)."""

    def roll(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shift = tf.random.stateless_uniform([2], seed, -most, most + 1, tf.int32)
        return tf.roll(images, shift, (1, 2))

    return roll
