"""Color that belongs to the photo: a dream's colors brought near the photo's own."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.imaging import large_shapes, oklab
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

    def run(dream: Image, photo: Image) -> Image:
        lab, own = oklab.from_rgb(dream), oklab.from_rgb(_shrink(photo))
        mean = own[..., 1:].mean((0, 1))
        across = _find_map(lab[..., 1:], own[..., 1:])
        # Lightness stays; a and b go a share of the way from themselves to what they are mapped to.
        way = np.zeros((3, 4))
        way[0, 0] = 1
        way[1:, 1:3] = (1 - share) * np.eye(2) + share * across
        way[1:, 3] = share * (mean - across @ lab[..., 1:].mean((0, 1)))
        moved = np.asarray(cv2.transform(lab, way.astype(np.float32)), np.float32)
        sigma = LARGE * min(photo.shape[:2])
        size = moved.shape[0], moved.shape[1]
        small, wanted = (large_shapes.shrink(each[..., 1:], size, sigma) for each in (moved, own))
        large = large_shapes.blur_and_enlarge(wanted - small, size, sigma, wrap=seamless)
        moved[..., 1:] += np.float32(LARGE_SHARE * share) * large
        return oklab.to_rgb(moved, KNEE)

    return run


SMALL = 256
"""The short side, in pixels, of the copy of a photo by which its colors are told."""


def _shrink(photo: Image) -> Image:
    """Return a small copy of a photo, or itself."""
    height, width = photo.shape[:2]
    share = SMALL / min(height, width)
    if share >= 1:
        return photo
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.float32)


def match(colors: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give colors `(h, w, 2)` the mean and covariance of others of that form."""
    across = _find_map(colors, own).astype(np.float32)
    return np.asarray((colors - colors.mean((0, 1))) @ across.T + own.mean((0, 1)), np.float32)


def _find_map(colors: NDArray[np.float32], own: NDArray[np.float32]) -> _Matrix:
    """Return the linear map that gives colors the covariance of others."""
    before, wanted = _measure(colors), _widen(_measure(own))
    root = _power(before, 0.5)
    back = _power(before, -0.5)
    return np.asarray(back @ _power(root @ wanted @ root, 0.5) @ back)


def _measure(colors: NDArray[np.float32]) -> _Matrix:
    """Return the covariance of colors; of so many as say enough."""
    step = max(1, min(colors.shape[:2]) // SMALL)
    flat = colors[::step, ::step].reshape(-1, 2)
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
