"""Regularisers `(images, gradient, step) -> images`, applied after a step of ascent.

Decay, blur and the two clippings are those of Yosinski et al., "Understanding Neural Networks
Through Deep Visualization" (2015), section 3.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import tensorflow as tf
from scipy import ndimage

from dreamer.ascent.steps import Amount, Step

Regulariser = Callable[[tf.Tensor, tf.Tensor, Step], tf.Tensor]

GREY = 0.5
"""What decay and clipping lead to: the middle of the range."""


def clip(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
    """Keep colours within 0 to 1."""
    return tf.clip_by_value(images, 0.0, 1.0)


def decay(share: Amount) -> Regulariser:
    """Draw every colour towards grey by a share of its distance."""
    return lambda images, gradient, step: images + (GREY - images) * share(step)


def blur(sigma: Amount) -> Regulariser:
    """A Gaussian blur of standard deviation `sigma` pixels, with mirrored edges."""
    return lambda images, gradient, step: gaussian(images, sigma(step))


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


def median(size: Amount) -> Regulariser:
    """The median of a square of `size` pixels, odd (the best of "Peeking Inside ConvNets")."""

    def filtered(images: np.ndarray, width: np.ndarray) -> np.ndarray:
        side = int(width) // 2 * 2 + 1
        if side <= 5:  # OpenCV's is several times faster, and stops there for float32.
            return np.stack([cv2.medianBlur(np.ascontiguousarray(x), side) for x in images])
        return ndimage.median_filter(images, (1, side, side, 1), mode="nearest")

    def smooth(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        result = tf.numpy_function(filtered, [images, size(step)], tf.float32)
        return tf.ensure_shape(result, images.shape)

    return smooth


def total_variation(weight: Amount) -> Regulariser:
    """One step of descent on the total variation (Rudin, Osher and Fatemi, 1992), smoothed.

    `weight` is about the colour by which a rough place is changed.
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


def small_norm(share: Amount) -> Regulariser:
    """Turn to grey the share of pixels whose colours are nearest to it."""

    def keep(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        return _without_least(images, _summed(tf.square(images - GREY)), share(step))

    return keep


def small_contribution(share: Amount) -> Regulariser:
    """Turn to grey the share of pixels that contribute least to the objective.

    A pixel's contribution is the magnitude of (colour − grey) · gradient.
    """

    def keep(images: tf.Tensor, gradient: tf.Tensor, step: Step) -> tf.Tensor:
        contribution = tf.abs(_summed((images - GREY) * gradient))
        return _without_least(images, contribution, share(step))

    return keep


def _summed(images: tf.Tensor) -> tf.Tensor:
    """Over the colours, to `(n, h, w)`; in half the time of `tf.reduce_sum`."""
    return tf.add_n(tf.unstack(images, axis=-1))


def _without_least(images: tf.Tensor, worth: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    def threshold(worth: np.ndarray, share: np.ndarray) -> np.ndarray:
        # NumPy finds one place of the order without sorting, 36 times as fast as `tf.sort`.
        each = worth.reshape(len(worth), -1)
        place = min(int(share * each.shape[1]), each.shape[1] - 1)
        return np.partition(each, place)[:, place]

    least = tf.numpy_function(threshold, [worth, share], tf.float32, stateful=False)
    least = tf.ensure_shape(least, worth.shape[:1])[:, None, None]
    return tf.where((worth >= least)[..., None], images, GREY)


REGULARISERS: Mapping[str, Callable[[Amount], Regulariser]] = {
    "decay": decay,
    "median": median,
    "total_variation": total_variation,
    "small_norm": small_norm,
    "small_contribution": small_contribution,
    "blur": blur,
}
"""In the order in which they are applied; each takes the amount that the recipe gives it."""


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
