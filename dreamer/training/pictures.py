"""An unlimited supply of training pictures: randomly cut and changed photos, and rendered ones.

All randomness comes from the generators that are passed in. `train` seeds them by `(seed, step)`,
so that a training continues exactly where it was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import cv2
import numpy as np

from dreamer.files.photo_sets import Picture

Item = TypeVar("Item")


def pick(items: Sequence[Item], rng: np.random.Generator) -> Item:
    """Pick one item at random."""
    return items[int(rng.integers(len(items)))]


def crop(photo: Picture, size: int, rng: np.random.Generator) -> Picture:
    """Cut a random square out of a photo, mirrored half of the time, as `(size, size, 3)`."""
    height, width = photo.shape[:2]
    side = round(min(height, width) * rng.uniform(0.4, 1))
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    square = photo[top : top + side, left : left + side]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), "float32")


def recolor(picture: Picture, rng: np.random.Generator) -> Picture:
    """Change contrast, brightness, saturation and the three colors at random."""
    gray = picture.mean(axis=2, keepdims=True)
    picture = gray + (picture - gray) * rng.uniform(0.2, 1.8)
    mean = picture.mean()
    gain = np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.1, 3))
    shifted = (picture - mean) * gain + mean + rng.normal(0, 20)
    return np.asarray(shifted, "float32")


def blur(picture: Picture, rng: np.random.Generator) -> Picture:
    """Blur a picture by a random radius, to the sharpness of an enlarged octave."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2.5)))


def noise(size: int, rng: np.random.Generator) -> Picture:
    """Render a sum of enlarged noise with a random falloff, from clouds to grain."""
    falloff = rng.uniform(0.35, 1.1)
    picture = np.zeros((size, size, 3), "float32")
    cells = 2
    while cells <= size:
        layer = rng.normal(size=(cells, cells, 3)).astype("float32")
        picture += cv2.resize(layer, (size, size), interpolation=cv2.INTER_CUBIC) * cells**-falloff
        cells *= 2
    return _stretch(picture, rng)


def waves(size: int, rng: np.random.Generator) -> Picture:
    """Render a few gratings and rings in random colors, warped by noise."""
    y, x = np.mgrid[:size, :size].astype("float32") / size
    bend = cv2.resize(rng.normal(size=(4, 4)).astype("float32"), (size, size))
    picture = np.zeros((size, size, 3), "float32")
    for _ in range(rng.integers(1, 5)):
        u, v = rng.normal(size=2)
        center = rng.uniform(-0.5, 1.5, 2)
        ring = np.hypot(x - center[0], y - center[1])
        path = ring if rng.random() < 0.5 else u * x + v * y
        wave = np.sin(2 * np.pi * (path + 0.1 * bend) * rng.uniform(1, size / 6))
        picture += wave[..., None] * rng.normal(size=3).astype("float32")
    return _stretch(picture, rng)


def patches(size: int, rng: np.random.Generator) -> Picture:
    """Render overlapping flat disks and polygons, for edges and corners of every kind."""
    picture = np.full((size, size, 3), rng.uniform(0, 255, 3), "float32")
    for _ in range(rng.integers(3, 40)):
        color = rng.uniform(0, 255, 3).tolist()
        points = rng.normal(rng.uniform(0, size, 2), size * rng.uniform(0.03, 0.3), (4, 2))
        if rng.random() < 0.5:
            cv2.fillPoly(picture, [points.astype("int32")], color, cv2.LINE_AA)
        else:
            center = points[0].astype(int).tolist()
            cv2.circle(picture, center, int(rng.uniform(2, size / 5)), color, -1, cv2.LINE_AA)
    return picture


def _stretch(picture: Picture, rng: np.random.Generator) -> Picture:
    """Bring a picture to a random contrast and mean color."""
    scaled = picture / (picture.std() + 1e-6) * rng.uniform(10, 70) + rng.uniform(60, 190, 3)
    return np.asarray(scaled, "float32")


RENDERED: Sequence[Callable[[int, np.random.Generator], Picture]] = (noise, waves, patches)
"""Functions that render a picture of a given size."""


def draw(photos: Sequence[Picture], size: int, rng: np.random.Generator) -> Picture:
    """Draw a picture `(size, size, 3)`: a photo (8 of 10), two photos mixed, or a rendering."""
    kind = rng.random()
    if kind < 0.1:
        return pick(RENDERED, rng)(size, rng)
    picture = crop(pick(photos, rng), size, rng)
    if kind < 0.2:
        other = crop(pick(photos, rng), size, rng)
        share = np.float32(rng.uniform(0.3, 0.7))
        picture = picture * share + other * (1 - share)
    if rng.random() < 0.5:
        picture = recolor(picture, rng)
    if rng.random() < 0.3:
        picture = blur(picture, rng)
    return picture.clip(0, 255)
