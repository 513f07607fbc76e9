"""Transforms `(images, seed) -> images`, applied inside the tape before the network sees them.

The gradient passes through them, so nothing has to be undone. Structures that survive small shifts,
turns and changes of size are not fine grain (Olah et al., "Feature Visualization", 2017, section
"Transformation Robustness").
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

Transform = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
"""A function from pictures `(n, h, w, 3)` and a seed `(2,)`, int32, to pictures; deterministic."""

GRAY = 0.5
"""The color of margins, the middle of the range."""


def jitter(most: int | tf.Tensor) -> Transform:
    """Return a random shift of up to `most` pixels along each axis, wrapping (Google 2015)."""

    def roll(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        shift = tf.random.stateless_uniform([2], seed, -most, most + 1, tf.int32)
        return tf.roll(images, shift, (1, 2))

    return roll


def shift_mirrored(most: int, margin: int) -> Transform:
    """Return a random shift of up to `most` pixels along each axis of a picture with a margin.

    The margin of that many pixels, and what a shift brings in, continue the picture mirrored. The
    gradient of a mirrored pixel goes to its original, so that the border is dreamt as strongly as
    the center, which is seen from all sides. Both are bounded by the size of the picture.
    """

    def shift(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        size = tf.shape(images)[1:3]
        least = tf.reduce_min(size)
        wide = tf.minimum(margin + most, least)
        shown = tf.minimum(margin, least)
        way = tf.random.stateless_uniform([2], seed, -most, most + 1, tf.int32)
        start = wide - shown + tf.clip_by_value(way, shown - wide, wide - shown)
        widths = tf.pad(tf.fill([2, 2], wide), [[1, 1], [0, 0]])
        around = tf.pad(images, widths, "SYMMETRIC")
        cut = tf.slice(
            around, tf.pad(start, [[1, 1]]), tf.concat([[-1], size + 2 * shown, [-1]], 0)
        )
        return tf.ensure_shape(cut, [None, None, None, 3])

    return shift


def pad(width: int) -> Transform:
    """Return a transform that adds a gray margin of `width` pixels."""
    margin = [[0, 0], [width, width], [width, width], [0, 0]]
    return lambda images, seed: tf.pad(images, margin, constant_values=GRAY)


def turn_and_scale(degrees: float, share: float) -> Transform:
    """Return a random turn about the center by up to `degrees`, and scaling by up to `share`.

    All pictures of a batch get the same; sampling is bilinear and wraps around.
    """

    def turn(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        least, most = [-degrees, 1 - share], [degrees, 1 + share]
        angle, factor = tf.unstack(tf.random.stateless_uniform([2], seed, least, most))
        angle = angle * (np.pi / 180)
        count, height, width, colors = tf.unstack(tf.shape(images))
        y, x = (tf.cast(tf.range(n) - n // 2, tf.float32) / factor for n in (height, width))
        cosine, sine = tf.cos(angle), tf.sin(angle)
        rows = y[:, None] * cosine - x * sine + tf.cast(height // 2, tf.float32)
        columns = y[:, None] * sine + x * cosine + tf.cast(width // 2, tf.float32)
        # With the batch axis inside, a pixel of all pictures is one contiguous row to gather.
        flat = tf.reshape(tf.transpose(images, [1, 2, 0, 3]), [height * width, -1])
        moved = _sample_bilinear(
            flat, tf.reshape(rows, [-1]), tf.reshape(columns, [-1]), height, width
        )
        return tf.transpose(tf.reshape(moved, [height, width, count, colors]), [2, 0, 1, 3])

    return turn


def _sample_bilinear(
    flat: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, height: tf.Tensor, width: tf.Tensor
) -> tf.Tensor:
    """Sample pixels `(h·w, k)` at fractional rows and columns, `(h·w,)` each; both wrap around."""
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


def crop(least: float, most: float) -> Transform:
    """Return a random square of each picture, whose side is a share of the short one.

    What is seen is as large as the largest square; sampling is bilinear.

    Args:
        least, most: the smallest and the largest side, as shares, above 0 and up to 1.
    """

    def cut(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        count = tf.shape(images)[0]
        size = tf.cast(tf.shape(images)[1:3], tf.float32)
        short = tf.reduce_min(size)
        sides, *corners = tf.unstack(tf.random.stateless_uniform([3, count], seed))
        sides = short * (least + (most - least) * sides)
        ends = [
            (place * (length - sides), sides, length)
            for place, length in zip(corners, tf.unstack(size), strict=True)
        ]
        begin = [start / (length - 1) for start, _, length in ends]
        end = [(start + side - 1) / (length - 1) for start, side, length in ends]
        side = tf.cast(tf.round(short * most), tf.int32)
        boxes = tf.stack([*begin, *end], 1)
        return tf.image.crop_and_resize(images, boxes, tf.range(count), [side, side])

    return cut


def add_noise(spread: float) -> Transform:
    """Return a transform that adds Gaussian noise of a standard deviation."""

    def add(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return images + tf.random.stateless_normal(tf.shape(images), seed, 0.0, spread)

    return add


def chain(*transforms: Transform) -> Transform:
    """Return a transform that applies several in turn, each with its own random numbers."""

    def run(images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        for place, transform in enumerate(transforms):
            # The first keeps the seed, so that it does the same as it would alone.
            own = tf.random.experimental.stateless_fold_in(seed, place) if place else seed
            images = transform(images, own)
        return images

    return run
