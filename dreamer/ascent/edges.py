"""What lies beyond a picture's edges: its mirror image, or, for a tile of a pattern, itself."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from dreamer.arrays import Image
from dreamer.ascent.regularisers import Regulariser
from dreamer.ascent.steps import Step
from dreamer.ascent.updates import Update

MARGIN = 64
"""How far, in pixels, updates and regularisers see: the reach of the Laplacian pyramid."""

MEETING = 1.5
"""Edges that differ by less, in differences from pixel to pixel, meet already."""


def inside(index: tf.Tensor, length: tf.Tensor, *, wrap: bool) -> tf.Tensor:
    """Places along an axis of `length`; those beyond its ends are wrapped around or mirrored."""
    if wrap:
        return index % length
    index = index % (2 * length)
    return tf.minimum(index, 2 * length - 1 - index)


def window(
    images: tf.Tensor,
    start: tf.Tensor | Sequence[int],
    size: tf.Tensor | Sequence[int],
    *,
    wrap: bool,
) -> tf.Tensor:
    """Pictures `(n, h, w, c)` from row and column `start` on, which may lie beyond the edges."""
    for axis in (0, 1):
        index = start[axis] + tf.range(size[axis])
        images = tf.gather(
            images, inside(index, tf.shape(images)[axis + 1], wrap=wrap), axis=axis + 1
        )
    return images


def _around(images: tf.Tensor, margin: int) -> tf.Tensor:
    size = tf.shape(images)[1:3]
    return window(images, [-margin, -margin], size + 2 * margin, wrap=True)


def _within(images: tf.Tensor, margin: int) -> tf.Tensor:
    return images[:, margin:-margin, margin:-margin]


def wrapped_update(update: Update) -> Update:
    """The same for pictures that go on at their opposite side."""
    return lambda gradient, step: _within(update(_around(gradient, MARGIN), step), MARGIN)


def wrapped_regulariser(regularise: Regulariser) -> Regulariser:
    """The same for pictures that go on at their opposite side."""

    def run(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        around = regularise(_around(images, MARGIN), _around(gradient, MARGIN), step)
        return _within(around, MARGIN)

    return run


def periodic(photo: Image) -> Image:
    """A photo whose opposite edges meet: periodic plus smooth decomposition (Moisan, 2011).

    What is taken off is smooth: it solves Poisson's equation for the jumps from edge to edge, so
    far as they exceed the slopes beside them.
    """
    jumps = np.zeros_like(photo)
    for axis in (0, 1):
        first, second, last, before = (np.take(photo, i, axis) for i in (0, 1, -1, -2))
        if np.abs(first - last).mean() < MEETING * np.abs(np.diff(photo, axis=axis)).mean():
            continue
        jump = first - last - (second - first + last - before) / 2
        view = np.moveaxis(jumps, axis, 0)
        view[0] -= jump
        view[-1] += jump
    height, width = photo.shape[:2]
    down = np.cos(2 * np.pi * np.fft.fftfreq(height))[:, None]
    right = np.cos(2 * np.pi * np.fft.rfftfreq(width))
    laplacian = 2 * (down + right) - 4
    # The smooth part has no mean of its own.
    laplacian[0, 0] = np.inf
    spectrum = np.fft.rfft2(jumps, axes=(0, 1)) / laplacian[..., None]
    smooth = np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1))
    return (photo - smooth).clip(0, 1).astype(np.float32)
