"""What keeps a film alive that is fed back into itself: colours, contrast, detail, habituation.

Fed back without these, a film saturates, drifts to one colour and stays with one motif.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.ascent import look

Floats = NDArray[np.float32]

STRIDE = 2
"""Colours are measured on every so many rows and columns."""

FINE = 1.5
"""Standard deviation, in pixels, of the blur that parts fine detail from the rest."""

FLOOR = 0.02
"""No channel counts as weaker than this share of the mean of all."""


def gains(strengths: Floats, exponent: float) -> Floats:
    """Habituation: channels that have long been strong weigh less.

    Args:
        strengths: running mean of each channel's mean square, `(c,)`.
        exponent: γ; 0 for no habituation.

    Returns:
        Factors on activations, `(c,)`: the square root of (mean of all / own)^γ, brought to a
        mean of 1, since a mean of squares is what is raised.
    """
    mean = max(float(strengths.mean()), 1e-12)
    weights = (mean / np.maximum(strengths, FLOOR * mean)) ** exponent
    return np.asarray(np.sqrt(weights / weights.mean()), np.float32)


def remembered(before: Floats, now: Floats, memory: float) -> Floats:
    """A running mean.

    Args:
        before: the mean so far.
        now: what is new.
        memory: after how many frames an old one counts 1/e.
    """
    return before + np.float32(1 - math.exp(-1 / memory)) * (now - before)


def colours(image: Image) -> Floats:
    """Mean and standard deviation of L, a and b, `(2, 3)`."""
    lab = look.to_lab(np.ascontiguousarray(image[::STRIDE, ::STRIDE])).reshape(-1, 3)
    return np.stack([lab.mean(0), lab.std(0)])


def palette(codes: Sequence[str], own: Floats) -> Floats:
    """Statistics as of `colours` for `#rrggbb` colours; lightness stays as it is in `own`."""
    wanted = look.swatches(codes)[:, 1:]
    target = own.copy()
    target[:, 1:] = wanted.mean(0), wanted.std(0)
    return target


def hold_colours(image: Image, target: Floats, share: float) -> Image:
    """Bring colours and contrast a share of the way to `target`, from `colours`.

    The statistics transfer of Reinhard et al. (2001), in CIELAB.
    """
    own = colours(image)
    factor = target[1] / np.maximum(own[1], 1e-3)
    lab = look.to_lab(image)
    matched = (lab - own[0]) * (1 + share * (factor - 1)) + own[0] + share * (target[0] - own[0])
    return look.to_rgb(matched.astype(np.float32))


def fine(image: Image) -> float:
    """Standard deviation of the fine detail."""
    return float((image - cv2.GaussianBlur(image, (0, 0), FINE)).std())


def hold_detail(image: Image, target: float, share: float) -> Image:
    """Bring the fine detail a share of the way to the standard deviation `target`."""
    coarse = cv2.GaussianBlur(image, (0, 0), FINE)
    detail = image - coarse
    factor = min(target / max(float(detail.std()), 1e-6), 2.0)
    return np.asarray(coarse + np.float32(1 + share * (factor - 1)) * detail, np.float32)


def add_noise(image: Image, amplitude: float, seed: Sequence[int]) -> Image:
    """Gaussian noise where there is little fine detail.

    Args:
        image: float32 `(h, w, 3)`.
        amplitude: standard deviation where there is no detail at all, in colours of 0 to 1.
        seed: words that decide the noise.
    """
    detail = (image - cv2.GaussianBlur(image, (0, 0), FINE)).mean(-1)
    power = cv2.GaussianBlur(np.square(detail), (0, 0), 4 * FINE)
    empty = 1 / (1 + power / max(float(power.mean()), 1e-9))
    noise = np.random.default_rng(list(seed)).standard_normal(image.shape, np.float32)
    return np.asarray(image + amplitude * empty[..., None] * noise, np.float32)
