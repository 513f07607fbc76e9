"""Photos in, pictures out."""

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from dreamer.arrays import Image, Size
from dreamer.errors import DreamerError
from dreamer.files import atomic, deep, metadata
from dreamer.files.decode import Pixels, decode
from dreamer.files.metadata import Made

_Level = TypeVar("_Level", np.uint8, np.uint16)

SMALLEST = 16
"""The shortest side, in pixels, that a photo may have."""


QUALITY = 92
"""Of a JPEG or WebP, 1 to 100."""

DEPTH = 8
"""Bits a colour."""

MASK_SLACK = 0.02
"""By how much of itself a mask's aspect ratio may differ from the picture's."""

MOST_PIXELS = 200_000_000
"""Of a picture that is made larger, or out of nothing."""


class Photo(NamedTuple):
    """A picture as read: sRGB colours, opacity `(h, w)` of 0 to 1 if it has any, hash of the file.

    `notes` say in a few words each what was done to it.
    """

    image: Image
    alpha: NDArray[np.float32] | None
    sha256: str
    notes: tuple[str, ...] = ()


def read(path: Path, role: str = "photo") -> Photo:
    """Read a photo upright, as sRGB (`decode.decode`).

    Raises DreamerError that names the file by its role, and what is wrong with it.
    """
    return _read(path, None, role)[0]


def read_small(path: Path, longest: int) -> tuple[Photo, Size]:
    """Read a photo as `read` does, reduced to a longest side; and its own height and width.

    Much faster for a large JPEG, because not all of it is decoded.
    """
    photo, own = _read(path, longest, "photo")
    return resize(photo, fitted(own, longest)), own


def _read(path: Path, longest: int | None, role: str) -> tuple[Photo, Size]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DreamerError(f"Cannot read the {role} {path}: {error.strerror}; check it.") from None
    name = f"The {role} {path}"
    pixels, notes, own = decode(data, name, longest)
    sha256 = hashlib.sha256(data).hexdigest()
    return of_pixels(pixels, name)._replace(sha256=sha256, notes=notes), own


def of_pixels(pixels: Pixels, name: str) -> Photo:
    """A photo that no file holds, so that it has no hash.

    Raises DreamerError that begins with `name` where it is too small.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST:
        raise DreamerError(
            f"{name} has {width}×{height} pixels: each side must have at least {SMALLEST}."
        )
    alpha = None if (pixels[..., 3] == 1).all() else pixels[..., 3]
    return Photo(np.ascontiguousarray(pixels[..., :3]), alpha, "")


def noise(kind: str, size: Size, seed: int) -> Photo:
    """A picture to begin with where there is no photo; the hash is that of its description.

    Args:
        kind: a key of `NOISES`.
        size: height and width.
        seed: gives the random numbers.
    """
    if min(size) < SMALLEST or math.prod(size) > MOST_PIXELS:
        raise DreamerError(
            f"--noise needs at least {SMALLEST} pixels along each side, and at most "
            f"{MOST_PIXELS} in all."
        )
    image = NOISES[kind](size, np.random.default_rng(seed)).clip(0, 1).astype(np.float32)
    return Photo(image, None, noise_sha256(kind, size, seed))


def noise_sha256(kind: str, size: Size, seed: int) -> str:
    """The hash of what describes some noise."""
    return hashlib.sha256(f"{kind} {size[1]}x{size[0]} {seed}".encode()).hexdigest()


def _fractal(size: Size, random: np.random.Generator) -> NDArray[np.float64]:
    """A spectrum of 1/f, as photographs have it."""
    frequency = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1]))
    white = np.fft.rfft2(random.normal(size=(3, *size)))
    pink = np.fft.irfft2(white / np.maximum(frequency, 1 / max(size)), s=size)
    return np.moveaxis(0.5 + 0.15 * pink / pink.std((1, 2), keepdims=True), 0, -1)


def _gradient(size: Size, random: np.random.Generator) -> NDArray[np.float64]:
    """A smooth blend of four random corner colours."""
    corners = random.uniform(0.1, 0.9, (2, 2, 3))
    down, right = (np.linspace(0, 1, n)[..., None] for n in size)
    top, bottom = (corners[i, 0] + right * (corners[i, 1] - corners[i, 0]) for i in (0, 1))
    return np.asarray(top + down[..., None] * (bottom - top))


NOISES: Mapping[str, Callable[[Size, np.random.Generator], NDArray[np.float64]]] = {
    "fractal": _fractal,
    "uniform": lambda size, random: random.uniform(0.4, 0.6, (*size, 3)),
    "gaussian": lambda size, random: random.normal(0.5, 0.1, (*size, 3)),
    "gradient": _gradient,
}
"""By name: from size and random numbers to a picture `(h, w, 3)`."""


def fitted(size: Size, limit: int | str, *, enlarge: bool = False) -> Size:
    """The size a picture is dreamt at.

    Args:
        size: the photo's height and width.
        limit: the longest side in pixels, or `"full"` for the photo's own.
        enlarge: whether a photo smaller than `limit` is brought up to it.
    """
    share = 1.0 if limit == "full" else int(limit) / max(size)
    if share >= 1 and not enlarge:
        return size
    fitted = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    if math.prod(fitted) > MOST_PIXELS:
        raise DreamerError(f"{fitted[1]}×{fitted[0]} pixels are too many: give a smaller --size.")
    return fitted


def resize(photo: Photo, size: Size) -> Photo:
    """A photo at another size, by area when it shrinks and bicubic when it grows."""
    if size == photo.image.shape[:2]:
        return photo
    shrinks = math.prod(size) < math.prod(photo.image.shape[:2])
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    planes = [photo.image] + ([] if photo.alpha is None else [photo.alpha])
    scaled = [cv2.resize(p, size[::-1], interpolation=how).clip(0, 1) for p in planes]
    return photo._replace(image=scaled[0], alpha=scaled[1] if len(scaled) > 1 else None)


def first_frame(photo: Photo, limit: int) -> Photo:
    """A photo at the size of the frames of its film; most formats need even sides."""
    height, width = fitted(photo.image.shape[:2], limit, enlarge=True)
    return resize(photo, (height // 2 * 2, width // 2 * 2))


def read_mask(path: Path, size: Size) -> NDArray[np.float32]:
    """A mask, `(h, w)` of 0 to 1, at a picture's size; what is transparent is black.

    Raises DreamerError where its proportions are others than the picture's.
    """
    mask = read(path, "mask")
    return as_mask(mask, size, f"The mask {path}")


def as_mask(mask: Photo, size: Size, name: str) -> NDArray[np.float32]:
    """How white a picture is, as `read_mask`; errors begin with `name`."""
    check_proportions(name, mask.image.shape[:2], size)
    mask = resize(mask, size)
    white = mask.image.mean(-1)
    return np.asarray(white if mask.alpha is None else white * mask.alpha, np.float32)


def check_proportions(name: str, own: Size, size: Size) -> None:
    """Raise DreamerError where a mask has other proportions than the picture of `size`."""
    height, width = own
    if abs(width / height * size[0] / size[1] - 1) > MASK_SLACK:
        raise DreamerError(
            f"{name} has other proportions ({width}×{height}) than the picture "
            f"({size[1]}×{size[0]}): crop it to the photo's."
        )


def _save_png(picture: Pillow.Image, file: BinaryIO, made: Made | None, quality: int) -> None:
    picture.save(file, "PNG", pnginfo=metadata.as_text_chunk(made))


def _save_jpeg(picture: Pillow.Image, file: BinaryIO, made: Made | None, quality: int) -> None:
    # At 4:2:0 a dream's saturated fine detail smears.
    picture.convert("RGB").save(
        file, "JPEG", quality=quality, subsampling=0, exif=metadata.as_exif(made)
    )


def _save_webp(picture: Pillow.Image, file: BinaryIO, made: Made | None, quality: int) -> None:
    picture.save(file, "WEBP", quality=quality, method=4, exif=metadata.as_exif(made))


def _save_tiff(picture: Pillow.Image, file: BinaryIO, made: Made | None, quality: int) -> None:
    picture.save(file, "TIFF", compression="tiff_adobe_deflate", exif=metadata.as_exif(made))


WRITERS: Mapping[str, Callable[[Pillow.Image, BinaryIO, Made | None, int], None]] = {
    ".png": _save_png,
    ".jpg": _save_jpeg,
    ".jpeg": _save_jpeg,
    ".webp": _save_webp,
    ".tif": _save_tiff,
    ".tiff": _save_tiff,
}
"""By suffix: how an 8-bit picture is written."""


def write(
    path: Path,
    image: Image,
    alpha: NDArray[np.float32] | None = None,
    made: Made | None = None,
    *,
    quality: int = QUALITY,
    depth: int = DEPTH,
    overwrite: bool = True,
) -> None:
    """Write a picture, whole or not at all.

    Args:
        path: its suffix, a key of `WRITERS`, decides the format.
        image: float32 `(h, w, 3)`; what lies outside 0 to 1 is clipped.
        alpha: opacity `(h, w)`, left out in a JPEG.
        made: the recipe to put inside.
        quality: of a JPEG or WebP, 1 to 100.
        depth: bits a colour, 8, or 16 where `deep.WRITERS` has the suffix.
        overwrite: whether an existing file may be replaced.
    """
    planes = image if alpha is None else np.dstack([image, alpha])
    suffix = path.suffix.lower()
    try:
        with atomic.replacing(path, overwrite=overwrite) as file:
            if depth == 16:
                deep.WRITERS[suffix](levels(planes, np.uint16), file, made)
            else:
                shallow = Pillow.fromarray(levels(planes, np.uint8))
                WRITERS[suffix](shallow, file, made, quality)
    except ValueError as error:
        raise DreamerError(
            f"{path.suffix} cannot hold this picture ({error}): write a .png instead."
        ) from None


def levels(planes: Image, kind: type[_Level]) -> NDArray[_Level]:
    """Colours of 0 to 1 as whole numbers, by rows: of a large picture there is no other copy."""
    most, levels = np.iinfo(kind).max, np.empty(planes.shape, kind)
    for row, colours in enumerate(planes):
        levels[row] = colours.clip(0, 1) * most + 0.5
    return levels
