"""Masks: where a dream shows, and where its photo stays."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.imaging.finish import Finish, leave_unchanged


def apply_mask(
    mask: NDArray[np.float32] | None, feather: float, *, inverted: bool = False
) -> Finish:
    """Return a finish that shows the dream where a mask is white, or, inverted, where it is black.

    Args:
        mask: `(h, w)`, 1 for the dream and 0 for the photo; None for the dream everywhere.
        feather: how soft the mask's edge is made: the standard deviation of a Gaussian blur, as a
            share of the mask's shorter side.
        inverted: whether black and white are exchanged.
    """
    if mask is None:
        return leave_unchanged
    mask = 1 - mask if inverted else mask
    sigma = feather * min(mask.shape)
    soft = cv2.GaussianBlur(mask, (0, 0), sigma) if sigma else mask
    return lambda dream, photo: photo + soft[..., None] * (dream - photo)
