"""Pictures continued beyond their edges, by mirroring or, for seamless patterns, by wrapping."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from dreamer.arrays import Image
from dreamer.ascent.normalizations import Update
from dreamer.ascent.regularizers import Regularizer
from dreamer.ascent.steps import Step

MARGIN = 64
"""The largest reach of updates and regularizers, in pixels: that of the Laplacian pyramid."""

MEETING = 1.5
"""Opposite edges already meet if they differ by less than this many mean pixel-to-pixel steps."""


def wrap_or_mirror(index: tf.Tensor, length: tf.Tensor, *, wrap: bool) -> tf.Tensor:
    """Return indices along an axis of `length`, wrapped or mirrored where they lie beyond it."""
    if wrap:
        return index % length
    index = index % (2 * length)
    return tf.minimum(index, 2 * length - 1 - index)


def cut_window(
    images: tf.Tensor,
    start: tf.Tensor | Sequence[int],
    size: tf.Tensor | Sequence[int],
    *,
    wrap: bool,
) -> tf.Tensor:
    """Cut windows out of pictures that continue beyond their edges.

    Args:
        images: `(n, h, w, c)`.
        start: first row and column, which may be negative.
        size: height and width of the window.
        wrap: whether pictures wrap around; they are mirrored otherwise.
    """
    for axis in (0, 1):
        index = start[axis] + tf.range(size[axis])
        images = tf.gather(
            images, wrap_or_mirror(index, tf.shape(images)[axis + 1], wrap=wrap), axis=axis + 1
        )
    return images


def _pad_wrapped(images: tf.Tensor, margin: int) -> tf.Tensor:
    size = tf.shape(images)[1:3]
    return cut_window(images, [-margin, -margin], size + 2 * margin, wrap=True)


def _crop(images: tf.Tensor, margin: int) -> tf.Tensor:
    return images[:, margin:-margin, margin:-margin]


def wrap_update(update: Update) -> Update:
    """Return the update for pictures that wrap around."""
    return lambda gradient, step: _crop(update(_pad_wrapped(gradient, MARGIN), step), MARGIN)


def wrap_regularizer(regularize: Regularizer) -> Regularizer:
    """Return the regularizer for pictures that wrap around."""

    def run(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        padded = regularize(_pad_wrapped(images, MARGIN), _pad_wrapped(gradient, MARGIN), step)
        return _crop(padded, MARGIN)

    return run


def make_periodic(photo: Image) -> Image:
    """Return the photo with opposite edges made to meet.

    Uses the periodic plus smooth decomposition (Moisan, 2011): the smooth part, which is
    subtracted, solves Poisson's equation for the jumps between opposite edges. Only the part of a
    jump that exceeds the slopes on both sides counts.
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
    # The smooth part has a mean of 0.
    laplacian[0, 0] = np.inf
    spectrum = np.fft.rfft2(jumps, axes=(0, 1)) / laplacian[..., None]
    smooth = np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1))
    return (photo - smooth).clip(0, 1).astype(np.float32)
