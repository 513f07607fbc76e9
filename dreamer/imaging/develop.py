"""Pictures developed as photos are: with the contrast and the color that those have."""

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.imaging import oklab

DARKEST, LIGHTEST = 0.18, 0.97
"""Oklab's lightness of a photo's darkest and lightest places, those of 5 and 96 in CIELAB."""

MIDDLE = (0.5, 0.64)
"""A photo's median lightness lies in between: 42 to 58 in CIELAB."""

ENDS = (0.5, 99.5)
"""Percentiles of a picture's lightness that are brought to its darkest and lightest."""

STRONGEST = 2.6
"""Most that contrast is multiplied by."""

CHROMA = 1.25
"""Chroma is multiplied by this, and by the root of what contrast is."""

SHOULDER = 0.8
"""Share of the way from the middle to either end up to which lightness is not pressed together."""


def develop(image: Image) -> Image:
    """Give a picture the contrast and the chroma of a photo; its hues stay."""
    lab = oklab.from_rgb(image)
    low, median, high = np.percentile(lab[..., 0], (ENDS[0], 50, ENDS[1]))
    gain = min(STRONGEST, (LIGHTEST - DARKEST) / max(float(high - low), 1e-3))
    middle = float(np.clip(median, *MIDDLE))
    lab[..., 0] = _press(middle + gain * (lab[..., 0] - median), middle)
    lab[..., 1:] *= np.float32(CHROMA * max(gain, 1) ** 0.5)
    return oklab.to_rgb(lab)


def _press(light: NDArray[np.float32], middle: float) -> NDArray[np.float32]:
    """Press what is near or beyond the ends together, within them."""
    room = np.where(light > middle, LIGHTEST - middle, middle - DARKEST)
    way = np.abs(light - middle) / room
    rest = 1 - SHOULDER
    bent = SHOULDER + rest * np.tanh((way - SHOULDER) / rest)
    pressed = np.where(way > SHOULDER, bent, way) * room
    return np.asarray(middle + np.sign(light - middle) * pressed, np.float32)
