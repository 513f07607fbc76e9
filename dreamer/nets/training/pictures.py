"""Training pictures without limit: photos cut and changed at random, and rendered ones.

Everything follows from `(seed, step)`, so that a training continues exactly where it was killed.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageOps

from dreamer.errors import DreamerError
from dreamer.files import listing
from dreamer.files.pictures import SUFFIXES, opened

Picture: TypeAlias = NDArray[Any]
"""`(h, w, 3)`, RGB, 0 to 255; photos are uint8, everything made from them is float32."""

HELD_OUT_EVERY = 10
"""Every tenth photo of the sorted names is never trained on."""

LEAST_SIDE = 4
"""Of a photo, in pixels."""

LONGEST_SHORT_SIDE = 288
"""To which larger photos are reduced, in pixels."""

Item = TypeVar("Item")


def pick(items: Sequence[Item], rng: np.random.Generator) -> Item:
    """One of them."""
    return items[int(rng.integers(len(items)))]


def load(source: Path, *, held_out: bool = False) -> list[Picture]:
    """The photos of a folder or a zip: those to train on, or those that are held out.

    Raises DreamerError where it cannot be read, holds too few photos, or one that is damaged.
    """
    try:
        with _files(source) as (names, read):
            photos = sorted(name for name in names if _shown(Path(name)))
            chosen = [n for i, n in enumerate(photos) if (i % HELD_OUT_EVERY == 0) == held_out]
            found = [_decode(read(name), f"{name} in {source}") for name in chosen]
    except (OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        why = getattr(error, "strerror", None) or "it is neither a folder nor a whole, open .zip"
        raise DreamerError(f"Cannot read the photos of {source}: {why}.") from None
    if not found:
        raise DreamerError(
            f"There are too few photos in {source}: give two at least, of which every tenth from "
            "the first is left out."
        )
    return found


@contextmanager
def _files(source: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    if source.is_dir():
        names = [str(path.relative_to(source)) for path in listing.walk(source)]
        yield names, lambda name: (source / name).read_bytes()
    else:
        with zipfile.ZipFile(source) as archive:
            yield archive.namelist(), archive.read


def _shown(name: Path) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return name.suffix.lower() in SUFFIXES and not hidden


def _decode(data: bytes, name: str) -> Picture:
    with opened(data, name) as read:
        rgb = ImageOps.exif_transpose(read.picture).convert("RGB")
        shrink = LONGEST_SHORT_SIDE / min(rgb.size)
        if shrink < 1:
            rgb = rgb.resize((round(rgb.width * shrink), round(rgb.height * shrink)))
        if min(rgb.size) < LEAST_SIDE:
            raise DreamerError(f"{name} is too small to train on: leave it out.")
        return np.asarray(rgb)


def crop(photo: Picture, size: int, rng: np.random.Generator) -> Picture:
    """A random square of a photo, mirrored or not, brought to `(size, size, 3)`."""
    height, width = photo.shape[:2]
    side = round(min(height, width) * rng.uniform(0.4, 1))
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    square = photo[top : top + side, left : left + side]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), "float32")


def recolour(picture: Picture, rng: np.random.Generator) -> Picture:
    """Contrast, brightness, saturation and the three channels changed at random."""
    grey = picture.mean(axis=2, keepdims=True)
    picture = grey + (picture - grey) * rng.uniform(0.2, 1.8)
    mean = picture.mean()
    gain = np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.1, 3))
    shifted = (picture - mean) * gain + mean + rng.normal(0, 20)
    return np.asarray(shifted, "float32")


def blur(picture: Picture, rng: np.random.Generator) -> Picture:
    """As sharp as an enlarged octave: a Gaussian blur of a random radius."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 2.5)))


def noise(size: int, rng: np.random.Generator) -> Picture:
    """Sums of enlarged noise with a random fall-off: from clouds to grain."""
    fall = rng.uniform(0.35, 1.1)
    picture = np.zeros((size, size, 3), "float32")
    cells = 2
    while cells <= size:
        layer = rng.normal(size=(cells, cells, 3)).astype("float32")
        picture += cv2.resize(layer, (size, size), interpolation=cv2.INTER_CUBIC) * cells**-fall
        cells *= 2
    return _stretch(picture, rng)


def waves(size: int, rng: np.random.Generator) -> Picture:
    """A few gratings and rings in random colours, warped by noise."""
    y, x = np.mgrid[:size, :size].astype("float32") / size
    bend = cv2.resize(rng.normal(size=(4, 4)).astype("float32"), (size, size))
    picture = np.zeros((size, size, 3), "float32")
    for _ in range(rng.integers(1, 5)):
        u, v = rng.normal(size=2)
        centre = rng.uniform(-0.5, 1.5, 2)
        ring = np.hypot(x - centre[0], y - centre[1])
        path = ring if rng.random() < 0.5 else u * x + v * y
        wave = np.sin(2 * np.pi * (path + 0.1 * bend) * rng.uniform(1, size / 6))
        picture += wave[..., None] * rng.normal(size=3).astype("float32")
    return _stretch(picture, rng)


def patches(size: int, rng: np.random.Generator) -> Picture:
    """Overlapping flat discs and polygons: edges and corners of every kind."""
    picture = np.full((size, size, 3), rng.uniform(0, 255, 3), "float32")
    for _ in range(rng.integers(3, 40)):
        colour = rng.uniform(0, 255, 3).tolist()
        points = rng.normal(rng.uniform(0, size, 2), size * rng.uniform(0.03, 0.3), (4, 2))
        if rng.random() < 0.5:
            cv2.fillPoly(picture, [points.astype("int32")], colour, cv2.LINE_AA)
        else:
            centre = points[0].astype(int).tolist()
            cv2.circle(picture, centre, int(rng.uniform(2, size / 5)), colour, -1, cv2.LINE_AA)
    return picture


def _stretch(picture: Picture, rng: np.random.Generator) -> Picture:
    scaled = picture / (picture.std() + 1e-6) * rng.uniform(10, 70) + rng.uniform(60, 190, 3)
    return np.asarray(scaled, "float32")


RENDERED: Sequence[Callable[[int, np.random.Generator], Picture]] = (noise, waves, patches)


def draw(photos: Sequence[Picture], size: int, rng: np.random.Generator) -> Picture:
    """One training picture, `(size, size, 3)`: a photo (8 of 10), two mixed, or a rendered one."""
    kind = rng.random()
    if kind < 0.1:
        return pick(RENDERED, rng)(size, rng)
    picture = crop(pick(photos, rng), size, rng)
    if kind < 0.2:
        other = crop(pick(photos, rng), size, rng)
        share = np.float32(rng.uniform(0.3, 0.7))
        picture = picture * share + other * (1 - share)
    if rng.random() < 0.5:
        picture = recolour(picture, rng)
    if rng.random() < 0.3:
        picture = blur(picture, rng)
    return picture.clip(0, 255)
