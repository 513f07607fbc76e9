"""Finishes: changes to a dream as a picture, such as to its colors, made with its photo at hand.

Colors are measured in float CIELAB (D65): L of 0 to 100, a and b of about −100 to 100.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image

Finish = Callable[[Image, Image], Image]
"""Takes a dream and its photo, both float32 `(h, w, 3)`, and returns a dream of that size."""


def leave_unchanged(dream: Image, photo: Image) -> Image:
    """Return the dream as it is."""
    return dream


def chain(*finishes: Finish) -> Finish:
    """Chain finishes, first to last; none at all leave the dream as it is."""

    def run(dream: Image, photo: Image) -> Image:
        for each in finishes:
            dream = each(dream, photo)
        return dream

    return run


def to_lab(image: Image) -> Image:
    """Convert a picture, clipped to 0 to 1 first, to CIELAB."""
    return np.asarray(cv2.cvtColor(image.clip(0, 1), cv2.COLOR_RGB2LAB), np.float32)


def to_rgb(lab: Image) -> Image:
    """Convert CIELAB to a picture; colors outside sRGB are clipped."""
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32).clip(0, 1)


def measure_color_change(dream: Image, photo: Image) -> float:
    """Measure the mean color difference between dream and photo (CIE76 ΔE)."""
    return float(np.linalg.norm(to_lab(dream) - to_lab(photo), axis=-1).mean())


def blend(share: float) -> Finish:
    """Blend the dream with the photo: 0 shows the photo, 1 the dream."""
    return lambda dream, photo: photo + np.float32(share) * (dream - photo)


def keep_colors(dream: Image, photo: Image) -> Image:
    """Combine the dream's lightness with the photo's colors."""
    return to_rgb(np.dstack([to_lab(dream)[..., :1], to_lab(photo)[..., 1:]]))


def scale_saturation(factor: float) -> Finish:
    """Multiply chroma by `factor`; 0 gives gray."""
    return lambda dream, photo: to_rgb(to_lab(dream) * np.array([1, factor, factor], np.float32))


def parse_swatches(colors: Sequence[str]) -> NDArray[np.float32]:
    """Convert `#rrggbb` colors to CIELAB, `(n, 3)`."""
    codes = [[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in colors]
    return np.asarray(to_lab(np.array([codes], np.float32))[0], np.float32)


def match_palette(colors: Sequence[str]) -> Finish:
    """Match the mean and spread of hues to those of `#rrggbb` colors; lightness stays.

    This is the statistics transfer of Reinhard et al. (2001), on a and b.
    """
    wanted = parse_swatches(colors)[:, 1:]
    mean, spread = wanted.mean(0), wanted.std(0)

    def match(dream: Image, photo: Image) -> Image:
        lab = to_lab(dream)
        own = lab[..., 1:]
        own_spread = np.maximum(own.std((0, 1)), 1e-3)
        lab[..., 1:] = (own - own.mean((0, 1))) * (spread / own_spread) + mean
        return to_rgb(lab)

    return match


MEASURED = 192
"""Approximate short side, in pixels, at which a change of color is measured."""


def scale_change(change: float) -> Finish:
    """Scale the dream's difference from the photo to a mean color change (ΔE) of `change`.

    The difference is enlarged eightfold at most.
    """

    def scale(dream: Image, photo: Image) -> Image:
        difference, factor = dream - photo, 1.0
        # A mean over this many pixels is as good as one over all.
        step = max(1, min(photo.shape[:2]) // MEASURED)
        sample, moved = (np.ascontiguousarray(x[::step, ::step]) for x in (photo, difference))
        for _ in range(4):
            reached = measure_color_change(sample + np.float32(factor) * moved, sample)
            factor *= change / max(reached, 1e-3)
        return photo + np.float32(min(factor, 8.0)) * difference

    return scale
