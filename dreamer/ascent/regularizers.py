"""Regularizers `(images, gradient, step) -> images`, applied after a step of ascent.

Decay, blur and the two clippings are those of Yosinski et al., "Understanding Neural Networks
Through Deep Visualization" (2015), section 3.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import scipy  # Its parts are imported where they are first used.
import tensorflow as tf

from dreamer.ascent.steps import Amount, Step

Regularizer = Callable[[tf.Tensor, tf.Tensor, Step], tf.Tensor]
"""A function from pictures `(n, h, w, 3)`, their gradient and the step to regularized pictures."""

GRAY = 0.5
"""The middle of the color range, toward which decay and the two clippings draw."""


def clip(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
    """Keep colors within 0 to 1."""
    return tf.clip_by_value(images, 0.0, 1.0)


def decay(share: Amount) -> Regularizer:
    """Return a regularizer that moves every color toward gray by a share of its distance."""
    return lambda images, gradient, step: images + (GRAY - images) * share(step)


def blur(sigma: Amount) -> Regularizer:
    """Return a Gaussian blur of standard deviation `sigma` pixels, with mirrored edges."""
    return lambda images, gradient, step: gaussian(images, sigma(step))


def gaussian(images: tf.Tensor, sigma: float | tf.Tensor) -> tf.Tensor:
    """Blur pictures `(n, h, w, c)` by a Gaussian of `sigma` pixels; 0 leaves them unchanged."""
    sigma = tf.cast(sigma, tf.float32)
    # `tf.pad` cannot mirror more than the picture itself.
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


def median(size: Amount) -> Regularizer:
    """Return a median filter over a square of `size` pixels, made odd.

    It is the best regularizer of "Peeking Inside ConvNets".
    """

    def filtered(images: np.ndarray, width: np.ndarray) -> np.ndarray:
        side = int(width) // 2 * 2 + 1
        if side <= 5:  # OpenCV's is several times faster, but limited to 5 for float32.
            return np.stack([cv2.medianBlur(np.ascontiguousarray(x), side) for x in images])
        return scipy.ndimage.median_filter(images, (1, side, side, 1), mode="nearest")

    def smooth(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        result = tf.numpy_function(filtered, [images, size(step)], tf.float32)
        return tf.ensure_shape(result, images.shape)

    return smooth


def total_variation(weight: Amount) -> Regularizer:
    """Return a step of descent on the total variation (Rudin, Osher and Fatemi, 1992), smoothed.

    Args:
        weight: approximate change of color in rough areas.
    """

    def flatten(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        down = tf.pad(images[:, 1:] - images[:, :-1], [[0, 0], [0, 1], [0, 0], [0, 0]])
        right = tf.pad(images[:, :, 1:] - images[:, :, :-1], [[0, 0], [0, 0], [0, 1], [0, 0]])
        length = tf.sqrt(tf.square(down) + tf.square(right) + 1e-4)
        down, right = down / length, right / length
        divergence = (
            down
            - tf.pad(down[:, :-1], [[0, 0], [1, 0], [0, 0], [0, 0]])
            + right
            - tf.pad(right[:, :, :-1], [[0, 0], [0, 0], [1, 0], [0, 0]])
        )
        return images + weight(step) * divergence

    return flatten


def small_norm(share: Amount) -> Regularizer:
    """Return a regularizer that turns to gray the pixels whose colors are nearest to it.

    Args:
        share: the share of pixels that turn gray.
    """

    def keep(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        return _gray_out_least(images, _sum_colors(tf.square(images - GRAY)), share(step))

    return keep


def small_contribution(share: Amount) -> Regularizer:
    """Return a regularizer that turns to gray the pixels that contribute least to the objective.

    The contribution of a pixel is the magnitude of (color − gray) · gradient.

    Args:
        share: the share of pixels that turn gray.
    """

    def keep(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        contribution = tf.abs(_sum_colors((images - GRAY) * gradient))
        return _gray_out_least(images, contribution, share(step))

    return keep


def _sum_colors(images: tf.Tensor) -> tf.Tensor:
    """Sum over the colors, to `(n, h, w)`, in half the time of `tf.reduce_sum`."""
    return tf.add_n(tf.unstack(images, axis=-1))


def _gray_out_least(images: tf.Tensor, worth: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Turn to gray the share of pixels with the least `worth`, `(n, h, w)`."""

    def threshold(worth: np.ndarray, share: np.ndarray) -> np.ndarray:
        # NumPy selects one rank without sorting, 36 times as fast as `tf.sort`.
        each = worth.reshape(len(worth), -1)
        place = min(int(share * each.shape[1]), each.shape[1] - 1)
        return np.partition(each, place)[:, place]

    least = tf.numpy_function(threshold, [worth, share], tf.float32, stateful=False)
    least = tf.ensure_shape(least, worth.shape[:1])[:, None, None]
    return tf.where((worth >= least)[..., None], images, GRAY)


REGULARIZERS: Mapping[str, Callable[[Amount], Regularizer]] = {
    "decay": decay,
    "median": median,
    "total_variation": total_variation,
    "small_norm": small_norm,
    "small_contribution": small_contribution,
    "blur": blur,
}
"""Functions from the amount in the recipe to a regularizer, in the order of application.

The recipe has two fields for each, its amount and, with `_every`, its period in steps."""


def every(period: int | tf.Tensor, regularizer: Regularizer) -> Regularizer:
    """Return a regularizer that acts after every `period`-th step, except an octave's last.

    After the last step, it would take fine detail from the picture that is shown or carried on.
    """

    def sometimes(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        due = ((step.index + 1) % period == 0) & (step.index + 1 < step.count)
        return tf.cond(due, lambda: regularizer(images, gradient, step), lambda: images)

    return sometimes


def chain(*regularizers: Regularizer) -> Regularizer:
    """Return a regularizer that applies several in turn; without any, it changes nothing."""

    def run(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        for regularizer in regularizers:
            images = regularizer(images, gradient, step)
        return images

    return run
