"""The noise that pictures grow from, around gray or around a photo."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from dreamer.arrays import Size
from dreamer.ascent.natural_spectrum import make_magnitudes
from dreamer.ascent.parametrizations import PARAMETRIZATIONS


def _uniform(random: np.random.Generator, size: Size) -> NDArray[np.float32]:
    return random.uniform(-(3**0.5), 3**0.5, (*size, 3)).astype(np.float32)


def _gaussian(random: np.random.Generator, size: Size) -> NDArray[np.float32]:
    return random.standard_normal((*size, 3), np.float32)


def _fourier(random: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Decode white noise as a spectrum, scaled down to where the decoder is linear."""
    spectrum = 1e-3 * random.standard_normal((1, *size, 3), np.float32)
    waves = np.asarray(PARAMETRIZATIONS["fourier"].decode(tf.constant(spectrum))[0]) - 0.5
    return np.asarray(waves / waves.std(), np.float32)


def _natural(random: np.random.Generator, size: Size) -> NDArray[np.float32]:
    """Draw the phases of a picture that has the spectrum of photographs."""
    # Those of real noise, so that the waves are real, too.
    phases = np.angle(np.fft.fft2(random.standard_normal((*size, 3)), axes=(0, 1)))
    spectrum = np.concatenate([phases, make_magnitudes(size)], -1).astype(np.float32)
    waves = np.asarray(PARAMETRIZATIONS["phases"].decode(tf.constant(spectrum[None]))[0]) - 0.5
    return np.asarray(waves / waves.std(), np.float32)


def _none(random: np.random.Generator, size: Size) -> NDArray[np.float32]:
    return np.zeros((*size, 3), np.float32)


RANDOM_STARTS: Mapping[str, Callable[[np.random.Generator, Size], NDArray[np.float32]]] = {
    "fourier": _fourier,
    "natural": _natural,
    "uniform": _uniform,
    "gaussian": _gaussian,
    "gray": _none,
    "photo": _gaussian,
}
"""Functions that draw noise `(h, w, 3)` of mean 0 and standard deviation 1, by name. `photo` is
added to a photo, the others to gray; `gray` draws zeros."""
