"""Noise to grow a picture from when there is no photo."""

import hashlib
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import MOST_PIXELS, SMALLEST_SIDE, Image, Size
from dreamer.errors import DreamerError

Draw = Callable[[Size, np.random.Generator], NDArray[np.float64]]


def draw_noise(kind: str, size: Size, seed: int) -> Image:
    """Draw noise, float32 `(h, w, 3)` of 0 to 1.

    Args:
        kind: a key of `KINDS`.
        size: height and width.
        seed: of the random numbers; the same seed gives the same pixels.

    Raises DreamerError if the size is too small or too large.
    """
    if min(size) < SMALLEST_SIDE or math.prod(size) > MOST_PIXELS:
        raise DreamerError(
            f"--noise needs at least {SMALLEST_SIDE} pixels along each side, and at most "
            f"{MOST_PIXELS} in all."
        )
    return KINDS[kind](size, np.random.default_rng(seed)).clip(0, 1).astype(np.float32)


def hash_description(kind: str, size: Size, seed: int) -> str:
    """Return the SHA-256 of a description of the noise, in place of the hash of a file."""
    return hashlib.sha256(f"{kind} {size[1]}x{size[0]} {seed}".encode()).hexdigest()


def _draw_fractal(size: Size, random: np.random.Generator) -> NDArray[np.float64]:
    """Draw noise with a spectrum of 1/f, like that of photographs."""
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1]))
    white = np.fft.rfft2(random.normal(size=(3, *size)))
    pink = np.fft.irfft2(white / np.maximum(frequency, 1 / max(size)), s=size)
    return np.moveaxis(0.5 + 0.15 * pink / pink.std((1, 2), keepdims=True), 0, -1)


def _draw_gradient(size: Size, random: np.random.Generator) -> NDArray[np.float64]:
    """Blend four random corner colors smoothly."""
    corners = random.uniform(0.1, 0.9, (2, 2, 3))
    down, right = (np.linspace(0, 1, n)[..., None] for n in size)
    top, bottom = (corners[i, 0] + right * (corners[i, 1] - corners[i, 0]) for i in (0, 1))
    return np.asarray(top + down[..., None] * (bottom - top))


KINDS: Mapping[str, Draw] = {
    "fractal": _draw_fractal,
    "uniform": lambda size, random: random.uniform(0.4, 0.6, (*size, 3)),
    "gaussian": lambda size, random: random.normal(0.5, 0.1, (*size, 3)),
    "gradient": _draw_gradient,
}
"""Kinds of noise by name; each takes a size and a generator, and returns `(h, w, 3)`."""
