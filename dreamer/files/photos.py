"""Photo input and picture output."""

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from dreamer.arrays import MOST_PIXELS, SMALLEST_SIDE, Image, Size
from dreamer.errors import DreamerError
from dreamer.files import atomic, content, metadata, sixteen_bit
from dreamer.files.decode import Pixels, decode
from dreamer.files.metadata import Embedded

_Level = TypeVar("_Level", np.uint8, np.uint16)

QUALITY = 92
"""Default quality of a JPEG or WebP, 1 to 100."""

DEPTH = 8
"""Default bits per color of a picture that is written."""

MASK_SLACK = 0.02
"""Relative difference allowed between the aspect ratios of a mask and its picture."""


class Photo(NamedTuple):
    """A picture as read: sRGB colors, opacity `(h, w)` of 0 to 1 if any, and the file's hash.

    `notes` say in a few words each what was done to it.
    """

    image: Image
    alpha: NDArray[np.float32] | None
    sha256: str
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> Size:
        """Return height and width."""
        return self.image.shape[0], self.image.shape[1]


def read(path: Path, role: str = "photo") -> Photo:
    """Read a photo, upright and in sRGB; see `decode.decode`.

    Raises DreamerError, which calls the file by its `role`, if it cannot be used.
    """
    return _read(path, None, role)[0]


def read_small(path: Path, longest: int) -> tuple[Photo, Size]:
    """Read a photo, reduced to a longest side in pixels; also return its own height and width.

    This is much faster than `read` for a large JPEG, because not all of it is decoded.
    """
    photo, own = _read(path, longest, "photo")
    return resize(photo, fit_size(own, longest)), own


def _read(path: Path, longest: int | None, role: str) -> tuple[Photo, Size]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DreamerError(f"Cannot read the {role} {path}: {error.strerror}; check it.") from None
    name = f"The {role} {path}"
    try:
        pixels, notes, own = decode(data, name, longest)
    except DreamerError:
        if content.is_film(data[: content.HEAD_BYTES]):
            raise DreamerError(f"{path} is a film: `dream video` dreams on those.") from None
        raise
    sha256 = hashlib.sha256(data).hexdigest()
    return of_pixels(pixels, name)._replace(sha256=sha256, notes=notes), own


def of_pixels(pixels: Pixels, name: str) -> Photo:
    """Make a photo from pixels; it is not from a file, so its hash is empty.

    Raises DreamerError, which begins with `name`, if it is too small.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise DreamerError(
            f"{name} has {width}×{height} pixels: each side must have at least {SMALLEST_SIDE}."
        )
    alpha = None if (pixels[..., 3] == 1).all() else pixels[..., 3]
    return Photo(np.ascontiguousarray(pixels[..., :3]), alpha, "")


def fit_size(size: Size, limit: int | str, *, enlarge: bool = False) -> Size:
    """Fit a size to a longest side, keeping its proportions.

    Args:
        size: height and width in pixels.
        limit: the longest side in pixels, or `"full"` for the size as it is.
        enlarge: whether a size below `limit` is brought up to it.

    Raises DreamerError if the size would have to change and is still too large.
    """
    share = 1.0 if limit == "full" else int(limit) / max(size)
    if share >= 1 and not enlarge:
        return size
    height, width = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    if height * width > MOST_PIXELS:
        raise DreamerError(f"{width}×{height} pixels are too many: give a smaller --size.")
    return height, width


def resize(photo: Photo, size: Size) -> Photo:
    """Resize a photo, by area if it shrinks and bicubically if it grows."""
    if size == photo.image.shape[:2]:
        return photo
    shrinks = math.prod(size) < math.prod(photo.image.shape[:2])
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC

    def scale(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled = cv2.resize(plane, size[::-1], interpolation=interpolation)
        return np.asarray(scaled.clip(0, 1), np.float32)

    if photo.alpha is None:
        return photo._replace(image=scale(photo.image))
    # A color counts as much as it is seen: what is behind a hole must not bleed out of it.
    share, seen = scale(photo.alpha), scale(photo.image * photo.alpha[..., None])
    thin = share[..., None] < 1 / 512
    image = np.where(thin, scale(photo.image), seen / np.where(thin, 1, share[..., None])).clip(
        0, 1
    )
    return photo._replace(image=image.astype(np.float32), alpha=share)


def first_frame(photo: Photo, limit: int) -> Photo:
    """Resize a photo to its film's frames, whose sides are even, as most formats require."""
    height, width = fit_size(photo.image.shape[:2], limit, enlarge=True)
    return resize(photo, (height // 2 * 2, width // 2 * 2))


def read_mask(path: Path, size: Size) -> NDArray[np.float32]:
    """Read a mask, `(h, w)` of 0 to 1, at a picture's size; what is transparent is black.

    Raises DreamerError if its proportions differ from the picture's.
    """
    mask = read(path, "mask")
    return as_mask(mask, size, f"The mask {path}")


def as_mask(mask: Photo, size: Size, name: str) -> NDArray[np.float32]:
    """Convert a photo to a mask, as `read_mask` does; errors begin with `name`."""
    check_proportions(name, mask.image.shape[:2], size)
    mask = resize(mask, size)
    white = mask.image.mean(-1)
    return np.asarray(white if mask.alpha is None else white * mask.alpha, np.float32)


def check_proportions(name: str, own: Size, size: Size) -> None:
    """Raise DreamerError if a mask of size `own` and a picture of `size` differ in proportions."""
    height, width = own
    if abs(width / height * size[0] / size[1] - 1) > MASK_SLACK:
        raise DreamerError(
            f"{name} has other proportions ({width}×{height}) than the picture "
            f"({size[1]}×{size[0]}): crop it to the photo's."
        )


def _save_png(picture: Pillow.Image, file: BinaryIO, made: Embedded | None, quality: int) -> None:
    picture.save(file, "PNG", pnginfo=metadata.as_text_chunk(made))


def _save_jpeg(picture: Pillow.Image, file: BinaryIO, made: Embedded | None, quality: int) -> None:
    # With 4:2:0 subsampling, the saturated fine detail of a dream smears.
    picture.convert("RGB").save(
        file, "JPEG", quality=quality, subsampling=0, exif=metadata.as_exif(made)
    )


def _save_webp(picture: Pillow.Image, file: BinaryIO, made: Embedded | None, quality: int) -> None:
    picture.save(file, "WEBP", quality=quality, method=4, exif=metadata.as_exif(made))


def _save_tiff(picture: Pillow.Image, file: BinaryIO, made: Embedded | None, quality: int) -> None:
    picture.save(file, "TIFF", compression="tiff_adobe_deflate", exif=metadata.as_exif(made))


WRITERS: Mapping[str, Callable[[Pillow.Image, BinaryIO, Embedded | None, int], None]] = {
    ".png": _save_png,
    ".jpg": _save_jpeg,
    ".jpeg": _save_jpeg,
    ".webp": _save_webp,
    ".tif": _save_tiff,
    ".tiff": _save_tiff,
}
"""Writers of 8-bit pictures, by suffix."""


def write(
    path: Path,
    image: Image,
    alpha: NDArray[np.float32] | None = None,
    made: Embedded | None = None,
    *,
    quality: int = QUALITY,
    depth: int = DEPTH,
    overwrite: bool = True,
) -> None:
    """Write a picture, whole or not at all.

    Args:
        path: its suffix, a key of `WRITERS`, decides the format.
        image: float32 `(h, w, 3)`; values outside 0 to 1 are clipped.
        alpha: opacity `(h, w)`, left out in a JPEG.
        made: the recipe to put inside.
        quality: of a JPEG or WebP, 1 to 100.
        depth: bits per color: 8, or 16 if `sixteen_bit.WRITERS` has the suffix.
        overwrite: whether an existing file may be replaced.

    Raises DreamerError if the file cannot be written, or the format cannot hold the picture.
    """
    planes = image if alpha is None else np.dstack([image, alpha])
    suffix = path.suffix.lower()
    try:
        with atomic.open_replacing(path, overwrite=overwrite) as file:
            if depth == 16:
                sixteen_bit.WRITERS[suffix](quantize(planes, np.uint16), file, made)
            else:
                shallow = Pillow.fromarray(quantize(planes, np.uint8))
                WRITERS[suffix](shallow, file, made, quality)
    except ValueError as error:
        raise DreamerError(
            f"{path.suffix} cannot hold this picture ({error}): write a .png instead."
        ) from None


def write_preview(path: Path, image: Image) -> None:
    """Write a PNG that is shown only for a while: in a quarter of the time, and a bit larger."""
    picture = Pillow.fromarray(quantize(image, np.uint8))
    with atomic.open_replacing(path) as file:
        picture.save(file, "PNG", compress_level=1)


def quantize(planes: Image, kind: type[_Level]) -> NDArray[_Level]:
    """Convert colors of 0 to 1 to whole numbers, row by row to save memory on large pictures."""
    top, result = np.iinfo(kind).max, np.empty(planes.shape, kind)
    for row, colors in enumerate(planes):
        result[row] = colors.clip(0, 1) * top + 0.5
    return result
