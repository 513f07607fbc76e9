"""Stabilization of a film that is fed back into itself: colors, contrast, detail, habituation.

Without it, such a film saturates, drifts to one color and gets stuck on one motif.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import Image
from dreamer.imaging import finish, large_shapes

Floats = NDArray[np.float32]

STRIDE = 2
"""Step between the rows, and the columns, on which colors are measured."""

SHAPES = 0.015
"""Standard deviation of the blur that leaves large shapes, as a share of the short side."""

MOTIFS = 0.06
"""Standard deviation of the blur that motifs dissolve in, as a share of the short side."""

FINE = 1.5
"""Standard deviation, in pixels, of the blur that separates fine detail from the rest."""

MOOD = 5.0
"""Seconds that a film takes from one mood to another."""

FLOOR = 0.02
"""Least strength that a channel counts as having, as a share of the mean of all."""


def habituate(strengths: Floats, exponent: float) -> Floats:
    """Compute weights of channels, which are lower for those that have long been strong.

    Args:
        strengths: running mean of each channel's mean square, `(c,)`.
        exponent: γ; 0 for no habituation.

    Returns:
        Factors on activations, `(c,)`: the square roots of (mean of all / own)^γ after these are
        scaled to a mean of 1; roots, because the ascent raises a mean of squares.
    """
    mean = max(float(strengths.mean()), 1e-12)
    weights = (mean / np.maximum(strengths, FLOOR * mean)) ** exponent
    return np.asarray(np.sqrt(weights / weights.mean()), np.float32)


def wander(
    count: int, seconds: float, strength: float, seed: int, around: float | None = None
) -> Floats:
    """Return factors on activations of channels, `(count,)`, that drift from one mood to another.

    A mood raises some channels and lowers others at random; it lasts for about `MOOD` seconds.

    Args:
        count: of the channels.
        seconds: of the film, at this moment.
        strength: standard deviation of the natural logarithms of the channels' weights.
        seed: of the moods.
        around: length of a loop, in seconds, at the end of which the first mood returns.
    """
    moods = max(2, round(around / MOOD)) if around else None
    number, share = divmod(seconds / (around / moods if around and moods else MOOD), 1)
    # The sum of the squares of cosine and sine is 1, and a smooth angle rests at each mood.
    angle = share * share * (3 - 2 * share) * np.pi / 2
    before, after = (
        np.random.default_rng([seed, each % moods if moods else each]).standard_normal(count)
        for each in (int(number), int(number) + 1)
    )
    weights = np.exp(strength * (np.cos(angle) * before + np.sin(angle) * after))
    return np.asarray(np.sqrt(weights / weights.mean()), np.float32)


def update_mean(before: Floats, now: Floats, memory: float) -> Floats:
    """Update a running mean.

    Args:
        before: the mean so far.
        now: the new value.
        memory: number of frames after which a value still counts 1/e.
    """
    return before + np.float32(1 - math.exp(-1 / memory)) * (now - before)


def measure_colors(image: Image) -> Floats:
    """Measure the mean and standard deviation of L, a and b, `(2, 3)`."""
    lab = finish.to_lab(np.ascontiguousarray(image[::STRIDE, ::STRIDE])).reshape(-1, 3)
    return np.stack([lab.mean(0), lab.std(0)])


def aim_at_palette(codes: Sequence[str], own: Floats) -> Floats:
    """Return a copy of `own`, from `measure_colors`, with the a and b of `#rrggbb` colors."""
    wanted = finish.parse_swatches(codes)[:, 1:]
    target = own.copy()
    target[:, 1:] = wanted.mean(0), wanted.std(0)
    return target


def hold_colors(image: Image, target: Floats, share: float) -> Image:
    """Bring colors and contrast a share of the way to `target`, from `measure_colors`.

    This is the statistics transfer of Reinhard et al. (2001), in CIELAB.
    """
    own = measure_colors(image)
    factor = target[1] / np.maximum(own[1], 1e-3)
    lab = finish.to_lab(image)
    matched = (lab - own[0]) * (1 + share * (factor - 1)) + own[0] + share * (target[0] - own[0])
    return finish.to_rgb(matched.astype(np.float32))


CALM, VIVID = 0.7, 2.5
"""Least and most mean chroma of a living film, as a factor on the photo's."""

LEAST_CHROMA = 6.0
"""What counts as the photo's mean chroma, if that is less, in CIELAB: a gray photo's film may
have some color."""


def measure_chroma(image: Image) -> float:
    """Measure the mean chroma, in CIELAB."""
    lab = finish.to_lab(np.ascontiguousarray(image[::STRIDE, ::STRIDE]))
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def let_colors_live(
    image: Image, target: Floats, pull: float, chroma: float, most: float = math.inf
) -> Image:
    """Hold lightness, and pull colors gently, so that a film keeps what its dreams bring.

    Args:
        image: float32 `(h, w, 3)`.
        target: from `measure_colors`; lightness gets its mean and spread.
        pull: how far the mean and the spread of a and b go there, 0 to 1.
        chroma: the photo's mean chroma, to which that of the film stays within bounds.
        most: how far the mean of a and b goes at most.
    """
    own = measure_colors(image)
    lab = finish.to_lab(image)
    share = np.array([1, pull, pull], np.float32)
    factor = 1 + share * (target[1] / np.maximum(own[1], 1e-3) - 1)
    shift = share * (target[0] - own[0])
    shift[1:] *= min(1.0, most / max(float(np.hypot(*shift[1:])), 1e-6))
    lab = (lab - own[0]) * factor + own[0] + shift
    usual = max(chroma, LEAST_CHROMA)
    mean = float(np.hypot(*np.moveaxis(lab[::STRIDE, ::STRIDE, 1:], -1, 0)).mean())
    bounded = min(max(mean, CALM * usual), VIVID * usual)
    lab[..., 1:] *= np.float32(bounded / max(mean, 1e-3))
    return finish.to_rgb(lab.astype(np.float32))


def approach(image: Image, photo: Image, share: float) -> Image:
    """Bring large shapes, in lightness and color, a share of the way to a photo's."""
    sigma = SHAPES * min(image.shape[:2])
    difference = cv2.GaussianBlur(photo - image, (0, 0), sigma)
    return np.asarray(image + np.float32(share) * difference, np.float32)


def dissolve(image: Image, share: float, *, wrap: bool = False) -> Image:
    """Bring a frame a share of the way to its large shapes, so that others grow out of them.

    Args:
        image: float32 `(h, w, 3)`.
        share: 0 to 1.
        wrap: whether what is beyond an edge is what lies at the opposite one.
    """
    size = image.shape[0], image.shape[1]
    sigma = MOTIFS * min(size)
    small = large_shapes.shrink(image, size, sigma)
    shapes = large_shapes.blur_and_enlarge(small, size, sigma, wrap=wrap)
    return np.asarray(image + np.float32(share) * (shapes - image), np.float32)


def limit_flash(image: Image, before: Image, most: float) -> Image:
    """Let the mean lightness differ from that of the frame before by so much at most (CIELAB)."""
    dark, light = (measure_colors(each)[0, 0] for each in (before, image))
    excess = float(light - dark) - float(np.clip(light - dark, -most, most))
    if not excess:
        return image
    lab = finish.to_lab(image)
    lab[..., 0] -= np.float32(excess)
    return finish.to_rgb(lab)


def measure_detail(image: Image) -> float:
    """Measure the standard deviation of the fine detail."""
    return float((image - cv2.GaussianBlur(image, (0, 0), FINE)).std())


def hold_detail(image: Image, target: float, share: float) -> Image:
    """Bring the fine detail a share of the way to the standard deviation `target`."""
    coarse = cv2.GaussianBlur(image, (0, 0), FINE)
    detail = image - coarse
    factor = min(target / max(float(detail.std()), 1e-6), 2.0)
    return np.asarray(coarse + np.float32(1 + share * (factor - 1)) * detail, np.float32)


def add_noise(image: Image, amplitude: float, seed: Sequence[int]) -> Image:
    """Add Gaussian noise where there is little fine detail.

    Args:
        image: float32 `(h, w, 3)`.
        amplitude: standard deviation where there is no detail at all, in colors of 0 to 1.
        seed: integers that decide the noise.
    """
    detail = (image - cv2.GaussianBlur(image, (0, 0), FINE)).mean(-1)
    power = cv2.GaussianBlur(np.square(detail), (0, 0), 4 * FINE)
    empty = 1 / (1 + power / max(float(power.mean()), 1e-9))
    noise = np.random.default_rng(list(seed)).standard_normal(image.shape, np.float32)
    return np.asarray(image + amplitude * empty[..., None] * noise, np.float32)
