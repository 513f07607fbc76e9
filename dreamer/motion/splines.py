"""B-spline interpolation, which a film's feedback can repeat any number of times.

The frequency response of a B-spline of odd degree is at most 1 for every shift, since all terms of
its sum are positive: repeating it amplifies nothing. Cubic and Lanczos kernels overshoot by a
percent at some frequencies, and explode within a few hundred frames. The higher the degree, the
nearer to 1 the response stays.

Unser, Aldroubi, Eden: B-spline signal processing (1993).
"""

import math
from functools import lru_cache

import numpy as np
import scipy  # Its parts are imported where they are first used.
from numpy.typing import NDArray

DEGREE = 7
TAPS = DEGREE + 1
REACH = TAPS // 2
"""Number of samples on either side of a position that contribute to it."""

FRACTIONS = 8192
"""Number of parts into which `build_pair_tables` divides a pixel."""

_PREFILTER_SAMPLES = 20
"""Number of samples after which the prefilter is cut off; even, because that damps a little (3e-5),
where an odd number would amplify."""

Floats = NDArray[np.float32]


def basis(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the centered B-spline, which is 0 farther than `REACH` from 0."""
    knots = np.arange(TAPS + 1) - TAPS / 2
    return np.nan_to_num(scipy.interpolate.BSpline.basis_element(knots, extrapolate=False)(x))


def prefilter(variance: float) -> Floats:
    """Compute the kernel that turns samples into coefficients of B-splines.

    Args:
        variance: of a Gaussian blur that it includes, against aliasing, in squared pixels.
    """
    radius = _PREFILTER_SAMPLES + 2 * math.ceil(2 * variance**0.5)
    frequencies = np.fft.fftfreq(16 * radius)
    samples = basis(np.arange(float(REACH)))
    waves = np.cos(2 * np.pi * frequencies[:, None] * np.arange(REACH))
    response = 2 * waves @ samples - samples[0]
    kernel = np.fft.ifft(np.exp(-2 * np.pi**2 * variance * frequencies**2) / response).real
    kernel = np.concatenate([kernel[-radius:], kernel[: radius + 1]])
    return np.asarray(kernel / kernel.sum(), np.float32)


@lru_cache(maxsize=1)
def build_pair_tables() -> tuple[list[Floats], list[Floats]]:
    """Compute tables of the weight and place of each pair of taps, by fraction of the position.

    Since the weights are positive, a pair is one linear interpolation between its two samples
    (Sigg and Hadwiger, GPU Gems 2, chapter 20).

    Returns:
        For each pair, weights, `(FRACTIONS, 4)` with four equal columns; and for each pair, places
        relative to the position's whole part, `(FRACTIONS,)`.
    """
    fraction = (np.arange(FRACTIONS) + 0.5) / FRACTIONS
    taps = np.arange(1 - REACH, REACH + 1)
    weights = basis(fraction[:, None] - taps)
    pairs = weights[:, ::2] + weights[:, 1::2]
    places = taps[::2] + weights[:, 1::2] / pairs
    columns = [np.repeat(pair[:, None], 4, axis=1).astype(np.float32) for pair in pairs.T]
    return columns, list(np.ascontiguousarray(places.T, np.float32))
