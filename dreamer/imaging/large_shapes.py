"""Blurs so wide that they are computed on a small copy."""

import cv2
import numpy as np
import scipy  # Its parts are imported where they are first used.
from numpy.typing import NDArray

from dreamer.arrays import Size

Floats = NDArray[np.float32]

DETAIL = 4.0
"""Standard deviation of the blur on the small copy, in its pixels."""

AROUND = 4
"""Pixels of the small copy by which it is continued, so that edges that wrap meet."""


def shrink(image: Floats, size: Size, sigma: float) -> Floats:
    """Shrink an image, float32 `(h, w, c)`, to where a blur by `sigma` is a small one.

    Args:
        image: at any size.
        size: the height and width, in the pixels of which `sigma` is measured.
        sigma: standard deviation of the blur.
    """
    height, width = size
    step = max(1.0, sigma / DETAIL)
    small = max(1, round(width / step)), max(1, round(height / step))
    return np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.float32)


def blur_and_enlarge(small: Floats, size: Size, sigma: float, *, wrap: bool = False) -> Floats:
    """Blur a small copy by `sigma` pixels of the size that it is enlarged to.

    Args:
        small: from `shrink`.
        size: height and width of what is returned.
        sigma: standard deviation of the blur.
        wrap: whether what is beyond an edge is what lies at the opposite one.
    """
    height, width = size
    own = sigma / max(1.0, sigma / DETAIL)
    if not wrap:
        blurred = cv2.GaussianBlur(small, None, own, borderType=cv2.BORDER_REFLECT)
        return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_CUBIC), "f4")
    blurred = scipy.ndimage.gaussian_filter(small, (own, own, 0), mode="wrap")
    around = np.pad(blurred, ((AROUND, AROUND), (AROUND, AROUND), (0, 0)), mode="wrap")
    rows, columns = small.shape[:2]
    wide = round(width * (1 + 2 * AROUND / columns)), round(height * (1 + 2 * AROUND / rows))
    large = cv2.resize(around, wide, interpolation=cv2.INTER_CUBIC)
    left, top = (wide[0] - width) // 2, (wide[1] - height) // 2
    return np.asarray(large[top : top + height, left : left + width], np.float32)
