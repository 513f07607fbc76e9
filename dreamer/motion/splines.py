"""B-splines, the interpolation that a film's feedback can repeat.

Of a B-spline of odd degree the frequency response is at most 1 for every shift, since all terms of
its sum are positive: nothing is amplified however often it is repeated, while cubic and Lanczos
kernels overshoot by a percent at some frequencies and explode within a few hundred frames. The
higher the degree, the nearer to 1 it stays.

Unser, Aldroubi, Eden: B-spline signal processing (1993).
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

DEGREE = 7
TAPS = DEGREE + 1
REACH = TAPS // 2
"""How many samples on either side of a position have a share in it."""

FRACTIONS = 8192
"""Into how many parts a pixel is cut by `paired`."""

_FALL = 20
"""Samples after which the prefilter is cut off; an even number, since that damps a little (3e-5)
where an odd one would amplify."""

Floats = NDArray[np.float32]


def basis(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The centred B-spline: 0 further than `REACH` from 0."""
    knots = np.arange(TAPS + 1) - TAPS / 2
    return np.nan_to_num(BSpline.basis_element(knots, extrapolate=False)(x))


def prefilter(variance: float) -> Floats:
    """The kernel that turns samples into coefficients of B-splines.

    Args:
        variance: of a Gaussian blur on the way, in squared pixels, against aliasing.
    """
    radius = _FALL + 2 * math.ceil(2 * variance**0.5)
    frequencies = np.fft.fftfreq(16 * radius)
    samples = basis(np.arange(float(REACH)))
    waves = np.cos(2 * np.pi * frequencies[:, None] * np.arange(REACH))
    response = 2 * waves @ samples - samples[0]
    kernel = np.fft.ifft(np.exp(-2 * np.pi**2 * variance * frequencies**2) / response).real
    kernel = np.concatenate([kernel[-radius:], kernel[: radius + 1]])
    return np.asarray(kernel / kernel.sum(), np.float32)


@lru_cache(maxsize=1)
def paired() -> tuple[list[Floats], list[Floats]]:
    """Of each pair of neighbouring taps, by the fraction of the position: weights and places.

    As the weights are positive, a pair is one linear interpolation between its two samples
    (Sigg and Hadwiger, GPU Gems 2, chapter 20).

    Returns:
        Weights, `(FRACTIONS, 4)` with four equal columns, and places relative to the position's
        whole part, `(FRACTIONS,)`.
    """
    fraction = (np.arange(FRACTIONS) + 0.5) / FRACTIONS
    taps = np.arange(1 - REACH, REACH + 1)
    weights = basis(fraction[:, None] - taps)
    pairs = weights[:, ::2] + weights[:, 1::2]
    places = taps[::2] + weights[:, 1::2] / pairs
    columns = [np.repeat(pair[:, None], 4, axis=1).astype(np.float32) for pair in pairs.T]
    return columns, list(np.ascontiguousarray(places.T, np.float32))
