"""Parametrizations: the parameters that the ascent changes in place of the pixels.

Each is a pair of inverse functions on tensors; the gradient passes through `decode`.
Ascent in another basis favors other pictures: steps in pixels mostly add fine grain, and steps in a
spectrum that is scaled like that of photographs add forms (Olah et al., "Feature Visualization",
2017, section "Preconditioning and Parameterization").
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from dreamer.ascent.regularizers import Regularizer

Decode = Callable[[tf.Tensor], tf.Tensor]
"""A differentiable function from parameters `(n, h, w, k)` to pictures `(n, h, w, 3)`."""


class Parametrization(NamedTuple):
    """A pair of inverse functions between pictures of 0 to 1 and the parameters of the ascent."""

    encode: Callable[[tf.Tensor], tf.Tensor]
    decode: Decode


_COLORS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
"""A square root of the covariance of ImageNet's colors, as published by lucid. Its columns are
lightness and two color axes, about as strong as in photographs."""

_DECORRELATED = (_COLORS / np.linalg.norm(_COLORS, axis=0).max()).T
_CORRELATED = np.linalg.inv(_DECORRELATED).astype(np.float32)

_STRENGTH = 0.25
"""The scale of the spectrum, as in lucid: how strongly a step in it changes the picture."""

_EDGE = 1e-3
"""The distance that encoded colors keep from 0 and 1, whose logits are infinite."""


def _make_hartley_basis(length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the Hartley basis `(length, length)` and its frequencies in cycles per pixel.

    The basis is orthonormal and its own inverse.
    """
    place = tf.range(length)
    turns = tf.cast((place[:, None] * place) % length, tf.float32) / tf.cast(length, tf.float32)
    angle = 2 * np.pi * turns
    basis = (tf.cos(angle) + tf.sin(angle)) * tf.math.rsqrt(tf.cast(length, tf.float32))
    cycles = tf.cast(tf.minimum(place, length - place), tf.float32)
    return basis, cycles / tf.cast(length, tf.float32)


def _transform_axes(images: tf.Tensor, down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Transform both axes to the given bases; matrix products avoid complex numbers."""
    return tf.einsum("yv,nvuc,ux->nyxc", down, images, right)


def _make_amplitudes(down: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Return the amplitudes of photographs, 1/f, `(h, w, 1)`; the mean gets the largest."""
    longest = tf.minimum(down[1], right[1])
    frequency = tf.sqrt(tf.square(down)[:, None] + tf.square(right))
    return _STRENGTH / tf.maximum(frequency, longest)[..., None]


def _fourier_decode(spectrum: tf.Tensor) -> tf.Tensor:
    height, width = tf.shape(spectrum)[1], tf.shape(spectrum)[2]
    (down, rows), (right, columns) = _make_hartley_basis(height), _make_hartley_basis(width)
    planes = _transform_axes(spectrum * _make_amplitudes(rows, columns), down, right)
    return from_planes(planes)


def to_planes(images: tf.Tensor) -> tf.Tensor:
    """Return the lightness and the two color axes of pictures of 0 to 1, of any range."""
    inside = tf.clip_by_value(images, _EDGE, 1 - _EDGE)
    logits = tf.math.log(inside) - tf.math.log1p(-inside)
    return tf.einsum("nyxc,cd->nyxd", logits, tf.constant(_CORRELATED))


def from_planes(planes: tf.Tensor) -> tf.Tensor:
    """Return the pictures whose lightness and color axes these are; see `to_planes`."""
    return tf.sigmoid(tf.einsum("nyxc,cd->nyxd", planes, tf.constant(_DECORRELATED)))


def _fourier_encode(images: tf.Tensor) -> tf.Tensor:
    height, width = tf.shape(images)[1], tf.shape(images)[2]
    (down, rows), (right, columns) = _make_hartley_basis(height), _make_hartley_basis(width)
    planes = to_planes(images)
    return _transform_axes(planes, down, right) / _make_amplitudes(rows, columns)


def _phases_encode(images: tf.Tensor) -> tf.Tensor:
    spectrum = tf.signal.fft2d(tf.cast(_swap_axes(to_planes(images)), tf.complex64))
    return tf.concat([_unswap_axes(tf.math.angle(spectrum)), _unswap_axes(tf.abs(spectrum))], -1)


def _phases_decode(spectrum: tf.Tensor) -> tf.Tensor:
    phases, magnitudes = map(_swap_axes, tf.split(spectrum, 2, -1))
    magnitudes = tf.stop_gradient(magnitudes)
    # The mean keeps its sign, or the whole picture could change its color.
    first = tf.pad(tf.ones([1, 1]), [[0, tf.shape(phases)[2] - 1], [0, tf.shape(phases)[3] - 1]])
    phases = tf.where(first > 0, tf.stop_gradient(phases), phases)
    waves = tf.complex(magnitudes * tf.cos(phases), magnitudes * tf.sin(phases))
    return from_planes(_unswap_axes(tf.math.real(tf.signal.ifft2d(waves))))


def _swap_axes(images: tf.Tensor) -> tf.Tensor:
    return tf.transpose(images, [0, 3, 1, 2])


def _unswap_axes(planes: tf.Tensor) -> tf.Tensor:
    return tf.transpose(planes, [0, 2, 3, 1])


def _identity(images: tf.Tensor) -> tf.Tensor:
    return images


PIXELS = Parametrization(_identity, _identity)
"""The parametrization by the pixels themselves."""

PARAMETRIZATIONS: Mapping[str, Parametrization] = {
    "pixels": PIXELS,
    # Lucid's `fft=True, decorrelate=True, sigmoid=True`, in a real basis.
    "fourier": Parametrization(_fourier_encode, _fourier_decode),
    # MACO: the spectrum's magnitudes stay those of the start (Fel et al., "Unlocking Feature
    # Visualization for Deeper Networks with MAgnitude Constrained Optimization", 2023).
    "phases": Parametrization(_phases_encode, _phases_decode),
}
"""The parametrizations by name."""


def on_pictures(regularize: Regularizer, parametrization: Parametrization) -> Regularizer:
    """Return a regularizer of pictures as one of the parameters of a parametrization."""
    if parametrization is PIXELS:
        return regularize
    encode, decode = parametrization
    return lambda coded, gradient, step: encode(regularize(decode(coded), gradient, step))
