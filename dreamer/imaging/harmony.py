"""Color that belongs to the photo: a dream's colors brought near the photo's own."""

import cv2
import numpy as np
import scipy  # Its parts are imported where they are first used.
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.imaging import oklab
from dreamer.imaging.finish import Finish

NARROWEST = 0.35
"""Least spread of the colors a dream is brought to across their main direction, as a share of that
along it: a photo of one hue would turn the dream gray."""

LARGE = 0.06
"""Standard deviation of the blur that leaves large shapes, as a share of the short side."""

LARGE_SHARE = 0.6
"""How far the color of large shapes goes to the photo's own, as a share of all."""

KNEE = 0.9
"""Share of the chroma that sRGB holds at which it begins to give way; at 1, a dark photo's colors
pile up at its limit."""

_Matrix = NDArray[np.float64]


def harmonize(share: float, *, seamless: bool = False) -> Finish:
    """Bring colors near the photo's: 0 leaves them, 1 gives an old print. Lightness stays.

    In Oklab, a and b go a share of the way along the linear map of Monge and Kantorovich, which
    gives them the photo's mean and covariance; then large shapes' color goes to the photo's. In a
    seamless picture what is beyond an edge is what lies at the opposite one.
    """

    blur = _blur_wrapped if seamless else _blur

    def run(dream: Image, photo: Image) -> Image:
        lab, own = oklab.from_rgb(dream), oklab.from_rgb(photo)[..., 1:]
        colors = lab[..., 1:]
        moved = colors + np.float32(share) * (match(colors, own) - colors)
        sigma = LARGE * min(photo.shape[:2])
        lab[..., 1:] = moved + np.float32(LARGE_SHARE * share) * blur(own - moved, sigma)
        return oklab.to_rgb(lab, KNEE)

    return run


def match(colors: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give colors `(h, w, 2)` the mean and covariance of others of that form."""
    before, wanted = _measure(colors), _widen(_measure(own))
    root = _power(before, 0.5)
    back = _power(before, -0.5)
    across = back @ _power(root @ wanted @ root, 0.5) @ back
    mean = colors.mean((0, 1))
    return np.asarray((colors - mean) @ across.T.astype(np.float32) + own.mean((0, 1)), np.float32)


def _measure(colors: NDArray[np.float32]) -> _Matrix:
    """Return the covariance of colors."""
    flat = colors.reshape(-1, 2)
    return np.asarray(np.cov(flat.T, bias=True)) + np.eye(2) * 1e-9


def _widen(covariance: _Matrix) -> _Matrix:
    """Return a covariance whose small axis is at least `NARROWEST` of its large one."""
    values, vectors = np.linalg.eigh(covariance)
    wide = np.maximum(values, NARROWEST**2 * values.max())
    return np.asarray(vectors * wide @ vectors.T)


def _power(matrix: _Matrix, exponent: float) -> _Matrix:
    """Return a power of a symmetric matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.maximum(values, 1e-12) ** exponent @ vectors.T)


def _blur_wrapped(colors: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    return np.asarray(scipy.ndimage.gaussian_filter(colors, (sigma, sigma, 0), mode="wrap"), "f4")


def _blur(colors: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur colors by so many pixels; what is that smooth is computed on a small copy."""
    height, width = colors.shape[:2]
    step = max(1.0, sigma / 4)
    size = max(1, round(width / step)), max(1, round(height / step))
    small = cv2.resize(colors, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, None, sigma / step, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
