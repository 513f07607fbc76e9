"""Normalizations `gradient -> gradient`, applied to each picture of a batch separately.

Floors keep a vanishing gradient from being blown up. Floors cited from other tools are for their
pictures of −1 to 1; a gradient with respect to colors of 0 to 1 is twice as long.
"""

import itertools
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from dreamer.ascent.interleave import interleave_phases
from dreamer.ascent.regularizers import gaussian
from dreamer.ascent.steps import Step

Normalization = Callable[[tf.Tensor], tf.Tensor]
"""A function from gradients `(n, h, w, 3)` to gradients of normalized scale."""

Update = Callable[[tf.Tensor, Step], tf.Tensor]
"""A function applied to gradients `(n, h, w, 3)` in a step, such as a smoothing."""

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
    """Divide by the Euclidean norm."""
    square = tf.reduce_sum(tf.square(gradient), _PIXELS, keepdims=True)
    return gradient * tf.math.rsqrt(tf.maximum(square, 1e-12))


def _none(gradient: tf.Tensor) -> tf.Tensor:
    return gradient


_BINOMIAL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]).astype(np.float32) / 256
# A full convolution over three channels is several times faster than a depthwise one.
_COLORS = np.eye(3, dtype=np.float32)
_REDUCE = _BINOMIAL[:, :, None, None] * _COLORS
# The binomial kernel split by phase: its taps for the even and the odd output pixels of an axis.
_PHASES = np.array([[1, 6, 1], [0, 4, 4]], np.float32) / 8
_EXPAND = np.einsum("yk,xl,cd->klcyxd", _PHASES, _PHASES, _COLORS).reshape(3, 3, 3, 12)


def _pad_mirrored(images: tf.Tensor, width: int) -> tf.Tensor:
    """Pad as `tf.pad` does in `SYMMETRIC` mode, but in two thirds of the time."""
    first, last = slice(width - 1, None, -1), slice(None, -width - 1, -1)
    images = tf.concat([images[:, :, first], images, images[:, :, last]], 2)
    return tf.concat([images[:, first], images, images[:, last]], 1)


def _halve(images: tf.Tensor) -> tf.Tensor:
    """Blur with the binomial kernel and keep every second row and column, including the first."""
    return tf.nn.conv2d(_pad_mirrored(images, 2), _REDUCE, 2, "VALID")


def _double(images: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Double the size of pictures, cropped to that of `like`; the transpose of `_halve`."""
    phases = tf.nn.conv2d(_pad_mirrored(images, 1), _EXPAND, 1, "VALID")
    size = tf.concat([tf.shape(images)[:1], tf.shape(like)[1:]], 0)
    return tf.slice(interleave_phases(phases, 2), [0, 0, 0, 0], size)


LEVELS = 4
"""The number of bands of the Laplacian pyramid, not counting the low-pass residual."""

SMALLEST_SIDE = 2**LEVELS
"""The shortest side, in pixels, of a picture with `LEVELS` bands."""


Weigh = Callable[[tf.Tensor, int], tf.Tensor]
"""A function of a band and its number, 0 for the finest."""


def _laplacian(gradient: tf.Tensor, weigh: Weigh = lambda band, _: band) -> tf.Tensor:
    """Scale the bands of the gradient's Laplacian pyramid to the same root mean square.

    This is the `lap_normalize` of the 2015 TensorFlow notebook (on the pyramid of Burt and Adelson,
    1983), with mirrored edges. The result has a root mean square of about 1.
    """
    levels = [gradient]
    for _ in range(LEVELS):
        levels.append(_halve(levels[-1]))
    merged = _equalize_band(levels[-1])
    for number, (here, low) in reversed(list(enumerate(itertools.pairwise(levels)))):
        expected, below = tf.split(_double(tf.concat([low, merged], 0), here), 2)
        merged = below + weigh(_equalize_band(here - expected), number)
    return merged


_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def weighted_laplacian(detail: float, chroma_detail: float) -> Normalization:
    """Return the Laplacian normalization with less of what is fine, most of which is noise.

    Bands weigh x, x^(1/2), x^(1/4), x^(1/8), the finest first; the root mean square stays about 1.

    Args:
        detail: x of luma, above 0 and up to 1.
        chroma_detail: x of chroma.
    """

    def weigh(band: tf.Tensor, number: int) -> tf.Tensor:
        luma = tf.einsum("nyxc,c->nyx", band, _LUMA)[..., None]
        light, color = (x ** (0.5**number) for x in (detail, chroma_detail))
        return light * luma + color * (band - luma)

    def normalize(gradient: tf.Tensor) -> tf.Tensor:
        return _rms(_laplacian(gradient, weigh))

    return normalize


def _equalize_band(band: tf.Tensor) -> tf.Tensor:
    """Scale a band so that all bands together have a mean square of 1."""
    square = tf.reduce_mean(tf.square(band), _PIXELS, keepdims=True)
    return band * (tf.math.rsqrt(tf.maximum(square, 1e-20)) / (LEVELS + 1) ** 0.5)


NORMALIZATIONS: Mapping[str, Normalization] = {
    "laplacian": _laplacian,
    "mean-abs": _mean_abs,
    "std": _std,
    "rms": _rms,
    "l2": _l2,
    "none": _none,
}
"""The normalizations by name."""


def blur_cascade(sigma: float) -> Update:
    """Return an update that averages three Gaussian blurs of the gradient, as in pytorch-deepdream.

    Their standard deviations are 0.5, 1 and 2 times a width in pixels, which grows from about
    `sigma` to `sigma + 2` over the steps of an octave.
    """

    def smooth(gradient: tf.Tensor, step: Step) -> tf.Tensor:
        way = tf.cast(step.index + 1, tf.float32) / tf.cast(step.count, tf.float32)
        width = 2 * way + sigma
        return tf.add_n([gaussian(gradient, width * factor) for factor in (0.5, 1.0, 2.0)]) / 3

    return smooth
