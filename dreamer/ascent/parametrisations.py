"""Parametrisations: what the ascent changes in place of the pixels.

A pair of functions that undo each other; both ends are `(n, h, w, 3)`, and a gradient passes
through `decode`. Ascent in another basis prefers other pictures: steps in pixels mostly add fine
grain, steps in a spectrum that is scaled like that of photographs add forms (Olah et al., "Feature
Visualization", 2017, section "Preconditioning and Parameterization").
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dreamer.ascent.regularisers import Regulariser

Decode = Callable[[tf.Tensor], tf.Tensor]


class Parametrisation(NamedTuple):
    """`encode` takes pictures of 0 to 1 to what is changed, and `decode` takes that to pictures."""

    encode: Callable[[tf.Tensor], tf.Tensor]
    decode: Decode


_COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
"""A root of the covariance of ImageNet's colours, as lucid publishes it: its columns are lightness
and two colours, about as strong as photographs have them."""

_DECORRELATED = (_COLOURS / np.linalg.norm(_COLOURS, axis=0).max()).T
_CORRELATED = np.linalg.inv(_DECORRELATED).astype(np.float32)

_STRENGTH = 0.25
"""Lucid's: what a step of the spectrum does to the picture."""

_EDGE = 1e-3
"""How near to 0 and 1 a colour can be, since the spectrum reaches neither."""


def _waves(length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The Hartley basis `(length, length)`, orthonormal and its own inverse; cycles a pixel."""
    place = tf.range(length)
    turns = tf.cast((place[:, None] * place) % length, tf.float32) / tf.cast(length, tf.float32)
    angle = 2 * np.pi * turns
    basis = (tf.cos(angle) + tf.sin(angle)) * tf.math.rsqrt(tf.cast(length, tf.float32))
    cycles = tf.cast(tf.minimum(place, length - place), tf.float32)
    return basis, cycles / tf.cast(length, tf.float32)


def _transformed(images: tf.Tensor, down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Both axes in the bases given; as products of matrices it needs no complex numbers."""
    return tf.einsum("yv,nvuc,ux->nyxc", down, images, right)


def _amplitudes(down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Those of photographs, 1/f, `(h, w, 1)`; the mean has that of the longest wave."""
    longest = tf.minimum(down[1], right[1])
    frequency = tf.sqrt(tf.square(down)[:, None] + tf.square(right))
    return _STRENGTH / tf.maximum(frequency, longest)[..., None]


def _fourier_decode(spectrum: tf.Tensor) -> tf.Tensor:
    height, width = tf.shape(spectrum)[1], tf.shape(spectrum)[2]
    (down, rows), (right, columns) = _waves(height), _waves(width)
    planes = _transformed(spectrum * _amplitudes(rows, columns), down, right)
    return tf.sigmoid(tf.einsum("nyxc,cd->nyxd", planes, tf.constant(_DECORRELATED)))


def _fourier_encode(images: tf.Tensor) -> tf.Tensor:
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    (down, rows), (right, columns) = _waves(height), _waves(width)
    inside = tf.clip_by_value(images, _EDGE, 1 - _EDGE)
    logits = tf.math.log(inside) - tf.math.log1p(-inside)
    planes = tf.einsum("nyxc,cd->nyxd", logits, tf.constant(_CORRELATED))
    return _transformed(planes, down, right) / _amplitudes(rows, columns)


def _as_they_are(images: tf.Tensor) -> tf.Tensor:
    return images


PIXELS = Parametrisation(_as_they_are, _as_they_are)

PARAMETRISATIONS: Mapping[str, Parametrisation] = {
    "pixels": PIXELS,
    # Lucid's `fft=True, decorrelate=True, sigmoid=True`, in a real basis.
    "fourier": Parametrisation(_fourier_encode, _fourier_decode),
}


def on_pictures(regularise: Regulariser, parametrisation: Parametrisation) -> Regulariser:
    """A regulariser of pictures, applied to what a parametrisation changes."""
    if parametrisation is PIXELS:
        return regularise
    encode, decode = parametrisation
    return lambda coded, gradient, step: encode(regularise(decode(coded), gradient, step))
