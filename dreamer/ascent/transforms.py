"""Transforms `(images, seed) -> images`, applied inside the tape before the network sees them.

Because the gradient passes through them, nothing has to be undone by hand. What a picture still
shows when it is shifted, scaled and turned a little is no fine grain ("Feature Visualization",
Olah et al., 2017, section "Transformation Robustness").
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

Transform = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""Pictures `(n, h, w, 3)` and a seed of two int32 to pictures; the same seed, the same result."""

GREY = 0.5


def jitter(most: int | tf.Tensor) -> Transform:
    """Roll by up to `most` pixels along each axis, with wrap-around (Google 2015)."""

    def roll(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shift = tf.random.stateless_uniform([2], seed, -most, most + 1, tf.int32)
        return tf.roll(images, shift, (1, 2))

    return roll


def pad(width: int) -> Transform:
    """A grey margin of `width` pixels."""
    margin = [[0, 0], [width, width], [width, width], [0, 0]]
    return lambda images, seed: tf.pad(images, margin, constant_values=GREY)


def turn_and_scale(degrees: float, share: float) -> Transform:
    """A turn of up to `degrees` about the middle, and a change of size by up to `share`.

    The same for all pictures, bilinear, with wrap-around.
    """

    def turn(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        least, most = [-degrees, 1 - share], [degrees, 1 + share]
        angle, factor = tf.unstack(tf.random.stateless_uniform([2], seed, least, most))
        angle = angle * (np.pi / 180)
        count, height, width, colours = tf.unstack(tf.shape(images))
        y, x = (tf.cast(tf.range(n) - n // 2, tf.float32) / factor for n in (height, width))
        cosine, sine = tf.cos(angle), tf.sin(angle)
        rows = y[:, None] * cosine - x * sine + tf.cast(height // 2, tf.float32)
        columns = y[:, None] * sine + x * cosine + tf.cast(width // 2, tf.float32)
        # With the pictures last, a pixel of all of them is one row of memory.
        flat = tf.reshape(tf.transpose(images, [1, 2, 0, 3]), [height * width, -1])
        moved = _bilinear(flat, tf.reshape(rows, [-1]), tf.reshape(columns, [-1]), height, width)
        return tf.transpose(tf.reshape(moved, [height, width, count, colours]), [2, 0, 1, 3])

    return turn


def _bilinear(
    flat: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, height: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """Pixels `(h·w, k)` at places between them, `(h·w,)` each."""
    top, left = tf.floor(rows), tf.floor(columns)
    down, right = rows - top, columns - left
    top, left = tf.cast(top, tf.int32), tf.cast(left, tf.int32)
    taps = [
        (top, left, (1 - down) * (1 - right)),
        (top, left + 1, (1 - down) * right),
        (top + 1, left, down * (1 - right)),
        (top + 1, left + 1, down * right),
    ]
    return tf.add_n(
        [
            tf.gather(flat, row % height * width + column % width) * share[:, None]
            for row, column, share in taps
        ]
    )


def chain(*transforms: Transform) -> Transform:
    """Several, one after the other, each with random numbers of its own."""

    def run(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        for place, transform in enumerate(transforms):
            # The first one's stay those that it has alone.
            own = tf.random.experimental.stateless_fold_in(seed, place) if place else seed
            images = transform(images, own)
        return images

    return run
