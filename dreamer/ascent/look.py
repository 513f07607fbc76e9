"""Looks: what is done to a dream as a picture, beside the photo it grew on.

Colours are measured in float CIELAB (D65): L of 0 to 100, a and b of about −100 to 100.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image

Look = Callable[[Image, Image], Image]
"""From a dream and its photo, both float32 `(h, w, 3)`, to another dream of that size."""


def unchanged(dream: Image, photo: Image) -> Image:
    """The dream as it is."""
    return dream


def chain(*looks: Look) -> Look:
    """Several, one after the other; none leaves the dream as it is."""

    def run(dream: Image, photo: Image) -> Image:
        for look in looks:
            dream = look(dream, photo)
        return dream

    return run


def to_lab(image: Image) -> Image:
    """CIELAB of a picture, clipped to 0 to 1 first."""
    return np.asarray(cv2.cvtColor(image.clip(0, 1), cv2.COLOR_RGB2LAB), np.float32)


def to_rgb(lab: Image) -> Image:
    """The picture of CIELAB colours; what no screen can show is clipped."""
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.float32).clip(0, 1)


def colour_change(dream: Image, photo: Image) -> float:
    """The mean distance of colours (CIE76 ΔE)."""
    return float(np.linalg.norm(to_lab(dream) - to_lab(photo), axis=-1).mean())


def opacity(share: float) -> Look:
    """The dream laid over the photo: 0 shows the photo, 1 the dream."""
    return lambda dream, photo: photo + np.float32(share) * (dream - photo)


def masked(mask: NDArray[np.float32]) -> Look:
    """The dream where `mask`, `(h, w)`, is 1, the photo where it is 0."""
    return lambda dream, photo: photo + mask[..., None] * (dream - photo)


def keep_colours(dream: Image, photo: Image) -> Image:
    """The dream's lightness with the photo's colours."""
    return to_rgb(np.dstack([to_lab(dream)[..., :1], to_lab(photo)[..., 1:]]))


def saturation(factor: float) -> Look:
    """Chroma times `factor`; 0 is grey."""
    return lambda dream, photo: to_rgb(to_lab(dream) * np.array([1, factor, factor], np.float32))


def swatches(colours: Sequence[str]) -> NDArray[np.float32]:
    """CIELAB of `#rrggbb` colours, `(n, 3)`."""
    codes = [[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours]
    return np.asarray(to_lab(np.array([codes], np.float32))[0], np.float32)


def palette(colours: Sequence[str]) -> Look:
    """Bring hues to the mean and the spread of `#rrggbb` colours; lightness stays.

    The statistics transfer of Reinhard et al. (2001), on a and b.
    """
    wanted = swatches(colours)[:, 1:]
    mean, spread = wanted.mean(0), wanted.std(0)

    def match(dream: Image, photo: Image) -> Image:
        lab = to_lab(dream)
        own = lab[..., 1:]
        own_spread = np.maximum(own.std((0, 1)), 1e-3)
        lab[..., 1:] = (own - own.mean((0, 1))) * (spread / own_spread) + mean
        return to_rgb(lab)

    return match


def main_colours(image: Image, count: int = 6) -> list[str]:
    """A picture's main colours as `#rrggbb`, found by k-means in CIELAB."""
    lab = to_lab(cv2.resize(image, (96, 96), interpolation=cv2.INTER_AREA)).reshape(-1, 3)
    # Starts spread over the lightness, so that the same picture gives the same colours.
    order = lab[:, 0].argsort()
    centres = lab[order[np.linspace(0, len(lab) - 1, count).astype(int)]]
    for _ in range(20):
        nearest = np.linalg.norm(lab[:, None] - centres, axis=-1).argmin(1)
        groups = [lab[nearest == i] for i in range(count)]
        centres = np.array(
            [g.mean(0) if len(g) else c for g, c in zip(groups, centres, strict=True)]
        )
    rgb = (to_rgb(centres[None].astype(np.float32))[0] * 255).round().astype(int)
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in rgb]


MEASURED = 192
"""About the short side, in pixels, at which a change of colour is measured."""


def strength(change: float) -> Look:
    """Scale the dream's difference from the photo to a mean colour change (ΔE) of `change`."""

    def scale(dream: Image, photo: Image) -> Image:
        difference, factor = dream - photo, 1.0
        # A mean over so many pixels is as good as one over all.
        step = max(1, min(photo.shape[:2]) // MEASURED)
        sample, moved = (np.ascontiguousarray(x[::step, ::step]) for x in (photo, difference))
        for _ in range(4):
            reached = colour_change(sample + np.float32(factor) * moved, sample)
            factor *= change / max(reached, 1e-3)
        return photo + np.float32(min(factor, 8.0)) * difference

    return scale
